// operator new of the whole program, which the library finds before the system's.
#include "failing_new.h"

#include <cstdlib>
#include <new>

#define VISIBLE __attribute__((visibility("default")))

namespace {

thread_local int left = -1;

void* allocate(std::size_t size) noexcept {
  if (left == 0) return nullptr;
  if (left > 0) --left;
  return std::malloc(size == 0 ? 1 : size);
}

}  // namespace

void fail_new_after(int count) {
  left = count;
}

VISIBLE void* operator new(std::size_t size) {
  if (void* memory = allocate(size)) return memory;
  throw std::bad_alloc();
}

VISIBLE void* operator new(std::size_t size, const std::nothrow_t&) noexcept {
  return allocate(size);
}

VISIBLE void operator delete(void* memory) noexcept {
  std::free(memory);
}

VISIBLE void operator delete(void* memory, std::size_t) noexcept {
  std::free(memory);
}

VISIBLE void operator delete(void* memory, const std::nothrow_t&) noexcept {
  std::free(memory);
}
