// wherry.hpp compiled alone as C++17.
#include "wherry/wherry.hpp"

static_assert(__cplusplus == 201703L, "the language that wherry.hpp promises");
