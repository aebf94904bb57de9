// Routes as texts.
#include "routing/route.h"

#include <gtest/gtest.h>

namespace wherry::routing {
namespace {

TEST(Route, AutoAndLists) {
  EXPECT_TRUE(Route::parse("auto")->automatic());
  EXPECT_TRUE(Route::parse("")->automatic());
  EXPECT_EQ(Route::parse("auto")->to_text(), "auto");
  const Route route = *Route::parse("p2p,centralized");
  EXPECT_EQ(route.to_text(), "p2p,centralized");
  EXPECT_EQ(route.place_of("p2p"), 0u);
  EXPECT_EQ(route.place_of("centralized"), 1u);
  EXPECT_EQ(route.place_of("onion"), std::nullopt);
  EXPECT_EQ(Route().place_of("onion"), 0u);
}

TEST(Route, TextsThatAreNone) {
  const std::string long_name(33, 'x');
  for (const std::string& text :
       {std::string(","), std::string("a,"), std::string(",a"), std::string("a,,b"),
        std::string("a,b,a"), std::string("a b"), std::string("a\n"), long_name,
        std::string("a,b,c,d,e,f,g,h,i")}) {
    EXPECT_FALSE(Route::parse(text)) << text;
  }
}

}  // namespace
}  // namespace wherry::routing
