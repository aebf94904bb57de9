// Tables that plug-ins give, good and malformed; settings; instances.
#include "plugin/instance.h"

#include <gtest/gtest.h>

#include <cstring>
#include <functional>
#include <memory>

#include "plugin/open_struct.h"
#include "tests/support/fake_net.h"

namespace wherry::plugin {
namespace {

// A table and description to spoil, one at a time: `describe` takes no argument.
wherry_transport_description description;
wherry_setting_description settings[] = {
    {"host", WHERRY_SETTING_TEXT, nullptr, "where"},
    {"port", WHERRY_SETTING_INTEGER, "80", "which"},
    {"tls", WHERRY_SETTING_BOOLEAN, "true", "whether"},
    {"proxy", WHERRY_SETTING_ADDRESS, "", "through which, if any"},
    {"listen", WHERRY_SETTING_ADDRESS, "[::1]:0", "at which"},
};

wherry_transport_plugin good_table() {
  description = *test::FakeNet::plugin(test::FakeKind::kStored)->describe();
  wherry_transport_plugin table = *test::FakeNet::plugin(test::FakeKind::kStored);
  table.describe = [] { return static_cast<const wherry_transport_description*>(&description); };
  return table;
}

// WHERRY_OK, or why it is refused.
int32_t status(const wherry_transport_plugin& table) {
  const wherry_transport_plugin* tables[] = {&table};
  const Result<PluginSet> set = PluginSet::make(tables);
  return set ? static_cast<int32_t>(WHERRY_OK) : set.error().status;
}

bool refused(const wherry_transport_plugin& table) {
  const int32_t why = status(table);
  EXPECT_TRUE(why == WHERRY_OK || why == WHERRY_E_ARGUMENT) << why;
  return why != WHERRY_OK;
}

TEST(PluginSet, FindsPluginsByName) {
  const wherry_transport_plugin* tables[] = {test::FakeNet::plugin(test::FakeKind::kStored),
                                             test::FakeNet::plugin(test::FakeKind::kDirect)};
  const Result<PluginSet> set = PluginSet::make(tables);
  ASSERT_TRUE(set);
  ASSERT_NE(set->find("fake-direct"), nullptr);
  EXPECT_EQ(set->find("fake-direct")->create, tables[1]->create);
  EXPECT_EQ(set->find("other"), nullptr);
  EXPECT_TRUE(PluginSet::make({}));
}

TEST(PluginSet, RefusesMalformedTables) {
  EXPECT_FALSE(refused(good_table()));
  const wherry_transport_plugin* none[] = {nullptr};
  EXPECT_FALSE(PluginSet::make(none));

  wherry_transport_plugin table = good_table();
  table.abi = WHERRY_TRANSPORT_ABI + 1;
  EXPECT_TRUE(refused(table));
  table = good_table();
  table.describe = nullptr;
  EXPECT_TRUE(refused(table));
  table.describe = []() -> const wherry_transport_description* { return nullptr; };
  EXPECT_TRUE(refused(table));
  table = good_table();
  table.send = nullptr;
  EXPECT_TRUE(refused(table));
  table = good_table();
  table.get_bundle = nullptr;  // though it says that it keeps bundles
  EXPECT_TRUE(refused(table));
  description.abilities &= ~static_cast<uint32_t>(WHERRY_ABILITY_BUNDLES);
  EXPECT_FALSE(refused(table));
}

TEST(PluginSet, RefusesMalformedDescriptions) {
  const wherry_transport_plugin table = good_table();
  const wherry_transport_description good = description;
  const auto spoilt = [&](const std::function<void(wherry_transport_description&)>& spoil) {
    description = good;
    spoil(description);
    return refused(table);
  };
  for (const char* name :
       {"", "Upper", "1st", "with space", "way-too-long-for-the-name-of-one-of-us"}) {
    EXPECT_TRUE(spoilt([&](auto& about) { about.name = name; })) << name;
  }
  EXPECT_TRUE(spoilt([](auto& about) { about.name = nullptr; }));
  EXPECT_TRUE(spoilt([](auto& about) { about.version = nullptr; }));
  EXPECT_TRUE(spoilt([](auto& about) { about.help = nullptr; }));
  EXPECT_TRUE(spoilt([](auto& about) { about.envelope_size_max = 512; }));
  EXPECT_TRUE(spoilt([](auto& about) {
    about.settings = nullptr;
    about.setting_count = 1;
  }));
  static constexpr wherry_setting_description kNameless[] = {
      {nullptr, WHERRY_SETTING_TEXT, nullptr, "help"}};
  static constexpr wherry_setting_description kHelpless[] = {
      {"name", WHERRY_SETTING_TEXT, nullptr, nullptr}};
  for (const auto& list : {kNameless, kHelpless}) {
    EXPECT_TRUE(spoilt([&](auto& about) {
      about.settings = list;
      about.setting_count = 1;
    }));
  }
}

// A plug-in built with the first version's header: the memory ends there, which AddressSanitizer
// watches.
TEST(PluginSet, TakesTablesOfTheFirstVersion) {
  const wherry_transport_plugin whole = good_table();
  const auto memory = std::make_unique<std::byte[]>(kPluginSizeFirst);
  std::memcpy(memory.get(), &whole, kPluginSizeFirst);
  auto* table = reinterpret_cast<wherry_transport_plugin*>(memory.get());
  std::memcpy(memory.get(), &kPluginSizeFirst, sizeof(size_t));

  static std::byte first_description[kDescriptionSizeFirst];
  std::memcpy(first_description, &description, kDescriptionSizeFirst);
  std::memcpy(first_description, &kDescriptionSizeFirst, sizeof(size_t));
  const auto describe_first = [] {
    return reinterpret_cast<const wherry_transport_description*>(first_description);
  };
  const wherry_transport_description* (*const function)() = describe_first;
  std::memcpy(memory.get() + offsetof(wherry_transport_plugin, describe), &function,
              sizeof function);

  const wherry_transport_plugin* tables[] = {table};
  const Result<PluginSet> set = PluginSet::make(tables);
  ASSERT_TRUE(set);
  const wherry_transport_plugin* known = set->find(description.name);
  ASSERT_NE(known, nullptr);
  EXPECT_EQ(known->create, whole.create);
  EXPECT_STREQ(describe(*known).version, description.version);
}

TEST(PluginSet, TakesTablesOfNewerVersions) {
  struct Newer {
    wherry_transport_plugin known;
    void (*unknown)();
  } newer{good_table(), nullptr};
  newer.known.size = sizeof newer;
  EXPECT_EQ(status(newer.known), WHERRY_OK);
  description.size = sizeof description + 16;
  EXPECT_EQ(status(newer.known), WHERRY_OK);
}

TEST(PluginSet, RefusesTablesOfNoVersion) {
  for (const size_t size : {size_t{0}, kPluginSizeFirst - 1, kOpenStructSizeMax + 1, SIZE_MAX}) {
    wherry_transport_plugin table = good_table();
    table.size = size;
    EXPECT_EQ(status(table), WHERRY_E_SIZE) << size;
  }
  for (const size_t size :
       {size_t{0}, kDescriptionSizeFirst - 1, kOpenStructSizeMax + 1, SIZE_MAX}) {
    const wherry_transport_plugin table = good_table();
    description.size = size;
    EXPECT_EQ(status(table), WHERRY_E_SIZE) << size;
  }
}

// Instances use the set's copies, which stay where they are when the set is moved.
TEST(PluginSet, MayBeMoved) {
  const wherry_transport_plugin* tables[] = {test::FakeNet::plugin(test::FakeKind::kStored)};
  PluginSet set = PluginSet::make(tables).take();
  const wherry_transport_plugin* before = set.find("fake-stored");
  ASSERT_NE(before, nullptr);
  const PluginSet moved = std::move(set);
  EXPECT_EQ(moved.find("fake-stored"), before);
}

TEST(PluginSet, RefusesTwoOfOneName) {
  const wherry_transport_plugin* twice[] = {test::FakeNet::plugin(test::FakeKind::kStored),
                                            test::FakeNet::plugin(test::FakeKind::kStored)};
  EXPECT_FALSE(PluginSet::make(twice));
}

TEST(Settings, AreCompletedAndChecked) {
  wherry_transport_description about{};
  about.settings = settings;
  about.setting_count = std::size(settings);
  const Result<Settings> full = complete(about, {{"host", "h"}});
  ASSERT_TRUE(full);
  EXPECT_EQ(
      *full,
      (Settings{
          {"host", "h"}, {"port", "80"}, {"tls", "true"}, {"proxy", ""}, {"listen", "[::1]:0"}}));

  const auto refused_settings = [&](const Settings& given) {
    const Result<Settings> done = complete(about, given);
    EXPECT_TRUE(done || done.error().status == WHERRY_E_SETTING);
    return !done;
  };
  EXPECT_TRUE(refused_settings({}));
  EXPECT_TRUE(refused_settings({{"host", "h"}, {"color", "red"}}));
  for (const char* value : {"", "-", "1.5", "0x10", " 1", "1-", "1234567890123456789"}) {
    EXPECT_TRUE(refused_settings({{"host", "h"}, {"port", value}})) << value;
  }
  for (const char* value : {"0", "-1", "65535"}) {
    EXPECT_FALSE(refused_settings({{"host", "h"}, {"port", value}})) << value;
  }
  for (const char* value : {"", "yes", "TRUE", "1"}) {
    EXPECT_TRUE(refused_settings({{"host", "h"}, {"tls", value}})) << value;
  }
  for (const char* value : {"localhost", ":9050", "localhost:99999", "[::1:9050", "unix:socket"}) {
    EXPECT_TRUE(refused_settings({{"host", "h"}, {"proxy", value}})) << value;
    EXPECT_TRUE(refused_settings({{"host", "h"}, {"listen", value}})) << value;
  }
  for (const char* value : {"localhost:9050", "[::1]:9050", "unix:/run/socks"}) {
    EXPECT_FALSE(refused_settings({{"host", "h"}, {"proxy", value}})) << value;
    EXPECT_FALSE(refused_settings({{"host", "h"}, {"listen", value}})) << value;
  }
  // Empty says "none", where the plug-in says so itself.
  EXPECT_FALSE(refused_settings({{"host", "h"}, {"proxy", ""}}));
  EXPECT_TRUE(refused_settings({{"host", "h"}, {"listen", ""}}));
}

}  // namespace
}  // namespace wherry::plugin
