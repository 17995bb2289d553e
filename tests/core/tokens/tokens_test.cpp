// Encodings against vectors of the reference (tests/core/tokens/make_vectors.py), and what no vector says.
#include "farthing/tokens.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <chrono>
#include <ctime>
#include <filesystem>
#include <fstream>
#include <random>
#include <sstream>
#include <thread>

#include "../money/vectors.h"
#include "farthing/tokenizer.h"
#include "tokens/utf8.h"

namespace farthing {
namespace {

using ::testing::HasSubstr;
using Ids = std::vector<std::uint32_t>;

constexpr const char* encodings[] = {"o200k_base", "cl100k_base", "o200k_harmony"};

Ids ids_of(const std::string& text) {
  std::istringstream in(text);
  Ids ids;
  for (std::uint32_t id = 0; in >> id;)
    ids.push_back(id);
  return ids;
}

std::string bytes_of_hex(const std::string& hex) {
  std::string bytes;
  for (std::size_t i = 0; i + 1 < hex.size(); i += 2)
    bytes.push_back(static_cast<char>(std::stoi(hex.substr(i, 2), nullptr, 16)));
  return bytes;
}

std::string vector_file(const std::string& name) {
  return FARTHING_SOURCE_DIR "/tests/vectors/tokens/" + name;
}

TEST(Encoding, agrees_with_the_reference) {
  for (const auto& row : testing::vectors("tokens/encodings.txt", 4)) {
    const auto how = row[1] == "special" ? SpecialTokens::as_tokens : SpecialTokens::as_text;
    const EncodingPtr encoding = Encoding::find(row[0]);
    ASSERT_NE(nullptr, encoding);
    const Ids expected = ids_of(row[3]);
    EXPECT_EQ(expected, encoding->encode(row[2], how)) << row[0] << ": " << row[2];
    EXPECT_EQ(static_cast<std::int64_t>(expected.size()), encoding->count(row[2], how)) << row[0] << ": " << row[2];
  }
}

TEST(Encoding, bytes_that_are_not_utf8_count_as_replaced) {
  for (const auto& row : testing::vectors("tokens/invalid.txt", 2)) {
    const std::string bytes = bytes_of_hex(row[0]);
    std::string kept;
    EXPECT_EQ(row[1], tokens_detail::valid_utf8(bytes, kept)) << row[0];
    for (const char* name : encodings)
      EXPECT_EQ(Encoding::find(name)->encode(row[1]), Encoding::find(name)->encode(bytes)) << row[0];
  }
}

TEST(Encoding, files_agree_with_the_reference) {
  for (const auto& row : testing::vectors("tokens/files.txt", 3)) {
    const auto encoding = Encoding::from_file(vector_file(row[0]));
    ASSERT_TRUE(encoding) << encoding.error().message;
    EXPECT_EQ(ids_of(row[2]), (*encoding)->encode(row[1], SpecialTokens::as_tokens)) << row[0] << ": " << row[1];
  }
}

TEST(Encoding, is_known_by_the_model) {
  for (const auto& row : testing::vectors("tokens/models.txt", 2)) {
    const std::string expected = row[1] == "-" ? "" : row[1];
    EXPECT_EQ(expected, encoding_name_for_model(row[0])) << row[0];
    const EncodingPtr encoding = encoding_for_model(row[0]);
    EXPECT_EQ(expected, encoding == nullptr ? "" : encoding->name()) << row[0];
  }
}

TEST(Encoding, is_the_same_object_each_time_and_none_for_an_unknown_name) {
  EXPECT_EQ(Encoding::find("o200k_base"), Encoding::find("o200k_base"));
  EXPECT_EQ(nullptr, Encoding::find("o200k"));
  EXPECT_EQ(nullptr, Encoding::find("gpt2"));  // a way of splitting only
}

TEST(Encoding, special_tokens_are_text_unless_asked_for) {
  const EncodingPtr encoding = Encoding::find("o200k_base");
  EXPECT_EQ((Ids{199999}), encoding->encode("<|endoftext|>", SpecialTokens::as_tokens));
  EXPECT_GT(encoding->count("<|endoftext|>"), 1);
  EXPECT_EQ((Ids{200006}), Encoding::find("o200k_harmony")->encode("<|start|>", SpecialTokens::as_tokens));
  EXPECT_GT(encoding->count("<|start|>", SpecialTokens::as_tokens), 1);
}

// Long texts remember their words and their pairs of letters while they are counted: the same count as from the tokens.
TEST(Encoding, a_long_text_counts_what_it_encodes) {
  std::mt19937 random(5);
  std::string text;
  for (int i = 0; i < 20'000; ++i) {
    for (auto length = random() % 14 + 1; length > 0; --length)
      text += static_cast<char>(random() % 40 == 0 ? random() % 256 : 'a' + random() % 26);
    text += random() % 20 == 0 ? "\n" : " ";
  }
  // Letters of two bytes: Greek, Cyrillic, Hebrew, Arabic, of which each word has one script or all.
  for (int i = 0; i < 20'000; ++i) {
    const auto script = random() % 5;
    for (auto length = random() % 14 + 1; length > 0; --length) {
      constexpr unsigned first[] = {0x3B1, 0x430, 0x5D0, 0x627};
      const unsigned code = first[script < 4 ? script : random() % 4] + static_cast<unsigned>(random() % 24);
      text += {static_cast<char>(0xC0 | code >> 6), static_cast<char>(0x80 | (code & 0x3F))};
    }
    text += ' ';
  }
  for (const char* name : encodings) {
    const EncodingPtr encoding = Encoding::find(name);
    EXPECT_EQ(static_cast<std::int64_t>(encoding->encode(text).size()), encoding->count(text));
  }
}

/// Of this thread alone, so that what else the machine does is not counted.
std::chrono::nanoseconds processor_time() {
  timespec now{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return std::chrono::seconds(now.tv_sec) + std::chrono::nanoseconds(now.tv_nsec);
}

// 200 KB without a break took a simple merge 24 to 39 seconds, and takes this one some 10 ms; a hundred times that under
// ThreadSanitizer.
TEST(Encoding, words_of_one_encoding_are_none_of_another) {
  const EncodingPtr newer = Encoding::find("o200k_base");
  const EncodingPtr older = Encoding::find("cl100k_base");
  const std::string text = "unverwechselbar Donaudampfschifffahrt \xD1\x81\xD0\xBB\xD0\xBE\xD0\xB2\xD0\xBE zxqvbnm";
  const auto encoded = [&](const EncodingPtr& by) { return static_cast<std::int64_t>(by->encode(text).size()); };
  ASSERT_NE(encoded(newer), encoded(older));
  for (const EncodingPtr& by : {newer, older, newer, newer, older})
    EXPECT_EQ(by->count(text), encoded(by)) << by->name();
}

TEST(Encoding, long_runs_take_no_longer_than_texts) {
  std::mt19937 random(6);
  std::string letters;
  std::string han;
  for (int i = 0; i < 200'000; ++i)
    letters += static_cast<char>('a' + random() % 26);
  for (int i = 0; i < 66'000; ++i)
    han += {'\xE4', static_cast<char>(0xB8 + random() % 8), static_cast<char>(0x80 + random() % 64)};
  for (const char* name : encodings) {
    const EncodingPtr encoding = Encoding::find(name);
    encoding->count("load");
    for (const std::string& run : {std::string(200'000, 'a'), std::string(200'000, ' '), std::string(200'000, '\n'),
                                   std::string(200'000, '!'), std::string(200'000, '\xFF'), letters, han}) {
      const auto start = processor_time();
      EXPECT_GT(encoding->count(run), 0);
      EXPECT_LT(processor_time() - start, std::chrono::seconds(8)) << run.substr(0, 10);
    }
  }
}

TEST(Encoding, threads_may_come_first_together) {
  std::vector<std::thread> threads;
  std::vector<std::int64_t> counts(8);
  for (std::size_t i = 0; i < counts.size(); ++i) {
    threads.emplace_back(
        [&counts, i] { counts[i] = Encoding::find(i % 2 == 0 ? "o200k_base" : "cl100k_base")->count("Hello, world"); });
  }
  for (std::thread& thread : threads)
    thread.join();
  EXPECT_THAT(counts, ::testing::Each(3));
}

// Every byte and the given tokens, in lines of base64 and rank.
std::string tiktoken_text(const std::vector<std::string>& more) {
  constexpr const char* digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string text;
  int rank = 0;
  for (unsigned byte = 0; byte < 256; ++byte)
    text += std::string{digits[byte >> 2], digits[(byte & 3) << 4]} + "== " + std::to_string(rank++) + "\n";
  for (const std::string& line : more)
    text += line + " " + std::to_string(rank++) + "\n";
  return text;
}

TEST(EncodingFile, ranks_of_a_file_are_merged_as_those_compiled_in) {
  const auto encoding = Encoding::from_text(tiktoken_text({"aGU=", "bGw=", "aGVsbA=="}), "some");  // he ll hell
  ASSERT_TRUE(encoding) << encoding.error().message;
  EXPECT_EQ("some", (*encoding)->name());
  EXPECT_EQ((Ids{258, 'o'}), (*encoding)->encode("hello"));
  EXPECT_EQ((Ids{258}), (*encoding)->encode("hell"));
  EXPECT_EQ((Ids{199999}), (*encoding)->encode("<|endoftext|>", SpecialTokens::as_tokens));
}

// A rank without a token, as p50k_base has; digits are one piece in gpt2, three at a time in the others.
TEST(EncodingFile, ranks_may_have_gaps_and_the_way_of_splitting_is_said) {
  std::string text = tiktoken_text({});
  text += "MTI= 300\nMTIzNA== 301\nMzQ= 302\n";  // 12 1234 34
  const auto like_gpt2 = Encoding::from_text(text, "some", "gpt2");
  ASSERT_TRUE(like_gpt2) << like_gpt2.error().message;
  EXPECT_EQ((Ids{301}), (*like_gpt2)->encode("1234"));
  EXPECT_EQ((Ids{300, '3', '4'}), (*Encoding::from_text(text, "some"))->encode("1234"));
}

std::string changed(const std::string& from, const std::string& to) {
  std::ifstream in(vector_file("gpt2.json"));
  std::string text((std::istreambuf_iterator<char>(in)), {});
  const std::size_t at = text.find(from);
  EXPECT_NE(std::string::npos, at) << from;
  return at == std::string::npos ? text : text.replace(at, from.size(), to);
}

TEST(EncodingFile, what_is_not_known_is_refused_with_its_reason) {
  const std::string bytes = tiktoken_text({});
  std::string of_258_bytes;
  for (int i = 0; i < 86; ++i)
    of_258_bytes += "YWFh";
  const std::vector<std::array<std::string, 3>> cases = {
      {"", "o200k_base", "empty"},
      {"IQ==", "o200k_base", "line 1"},
      {"IQ== x", "o200k_base", "line 1"},
      {bytes + "I!== 256\n", "o200k_base", "line 257"},
      {"IQ== 0\n", "o200k_base", "a single byte is not a token"},
      {bytes + "IQ== 256\n", "o200k_base", "line 257: the token of line 34 is there twice"},
      {bytes + "YWI= 255\n", "o200k_base", "line 257: rank 255 is there twice"},
      {bytes.substr(0, bytes.rfind("/w==")), "o200k_base", "a single byte is not a token: 255"},
      {bytes + of_258_bytes + " 256\n", "o200k_base", "line 257: a token of more than 255 bytes"},
      {bytes + "YWI= 99999999\n", "o200k_base", "gaps"},
      {bytes, "p50k", "no encoding is called \"p50k\""},
      {"{", "", "not JSON at byte 2"},
      {std::string(100'000, '['), "o200k_base", "line 1"},
      {"{\"a\":" + std::string(100'000, '['), "", "not JSON at byte 100006"},
      {"{\"a\":1e999}", "", "file: a number in it is out of range"},
      {changed("\"vocab\":{", "\"vocab\":{\"qqqq\":70000,\"zzzz\":70000,"), "", "have the same number 70000"},
      {"{}", "", "`pre_tokenizer`"},
      {changed("\"normalizer\":null", "\"normalizer\":{\"type\":\"NFKC\"}"), "", "`normalizer`"},
      {changed("\"add_prefix_space\":false", "\"add_prefix_space\":true"), "", "`add_prefix_space`"},
      {changed("\"use_regex\":true", "\"use_regex\":false"), "", "splits nothing"},
      {changed("\"type\":\"ByteLevel\"", "\"type\":\"Metaspace\""), "", "`pre_tokenizer`"},
      {changed("\"type\":\"BPE\"", "\"type\":\"Unigram\""), "", "`model`"},
      {changed("\"byte_fallback\":false", "\"byte_fallback\":true"), "", "byte fallback"},
      {changed("\"merges\":[", "\"merges\":[[\"q\",\"\\u2581\"],"), "", "merge 0"},
      {changed("\"lstrip\":false", "\"lstrip\":true"), "", "lstrip"},
  };
  for (const auto& [content, like, message] : cases) {
    const auto read = Encoding::from_text(content, "file", like);
    ASSERT_FALSE(read) << message;
    EXPECT_EQ(Code::invalid_argument, read.error().code);
    EXPECT_THAT(read.error().message, HasSubstr(message));
  }
  const std::string huge = ::testing::TempDir() + "huge.tiktoken";
  std::ofstream(huge).close();
  std::filesystem::resize_file(huge, std::uintmax_t{65} << 20U);
  const auto read = Encoding::from_file(huge);
  std::filesystem::remove(huge);
  ASSERT_FALSE(read);
  EXPECT_THAT(read.error().message, HasSubstr("at most 67108864"));
  EXPECT_FALSE(Encoding::from_file(vector_file("none.json")));
  EXPECT_FALSE(Encoding::from_file(FARTHING_SOURCE_DIR));
}

TEST(Tokenizers, read_a_file_when_it_is_needed_and_once_for_all) {
  const std::string file = ::testing::TempDir() + "acme.tiktoken";
  const std::vector<TokenizerRule> rules = {{.models = {"acme-*", "mill"}, .file = file, .like = ""},
                                            {.models = {"*"}, .file = file + ".none", .like = ""}};
  const Tokenizers tokenizers(rules);  // no file is there yet
  EXPECT_FALSE(tokenizers.find("acme-7b"));
  std::ofstream(file) << tiktoken_text({"aGU="});
  const auto found = tokenizers.find("acme-7b");
  ASSERT_TRUE(found) << found.error().message;
  EXPECT_EQ(1, (*found)->count("he"));
  EXPECT_EQ(*found, *tokenizers.find("mill"));
  EXPECT_EQ(*found, *tokenizers.find("known as", "acme-7b"));
  EXPECT_EQ(*found, *Tokenizers(rules).find("acme-9b"));
  // Another file at its place: what was counted with the first one is not found again (Encoding::id).
  std::ofstream(file) << tiktoken_text({"aGU=", "bGw="});
  const auto second = tokenizers.find("acme-7b");
  ASSERT_TRUE(second);
  EXPECT_EQ(1, (*second)->count("ll"));
  EXPECT_NE((*found)->id(), (*second)->id());
  const auto other = tokenizers.find("other");
  ASSERT_FALSE(other);
  EXPECT_THAT(other.error().message, HasSubstr("acme.tiktoken.none: cannot be read"));
  EXPECT_EQ(nullptr, *Tokenizers().find("acme-7b"));
  std::filesystem::remove(file);
}

#if defined(__has_feature)
#define FARTHING_HAS(feature) __has_feature(feature)
#else
#define FARTHING_HAS(feature) 0
#endif
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__) || FARTHING_HAS(address_sanitizer) || \
    FARTHING_HAS(thread_sanitizer)
constexpr bool sanitized = true;
#else
constexpr bool sanitized = false;
#endif

TEST(Tokenizers, a_child_that_is_forked_while_a_file_is_read_does_not_wait_for_it) {
  if (sanitized)
    GTEST_SKIP() << "a sanitizer's allocator may itself be locked in a child, by a thread that is not there";
  const std::string small = ::testing::TempDir() + "small.tiktoken";
  const std::string large = ::testing::TempDir() + "large.json";
  std::ofstream(small) << tiktoken_text({});
  // Not a vocabulary in the end: reading it takes a while.
  std::ofstream(large) << "{\"a\":[" << [] {
    std::string numbers;
    for (int i = 0; i < 500'000; ++i)
      numbers += "1,";
    return numbers;
  }() << "1]}";
  const Tokenizers tokenizers(
      {{.models = {"small"}, .file = small, .like = ""}, {.models = {"large"}, .file = large, .like = ""}});
  ASSERT_TRUE(tokenizers.find("small"));
  std::atomic<bool> read{false};
  std::thread reader([&] {
    EXPECT_FALSE(tokenizers.find("large"));
    read = true;
  });
  int status = 0;
  while (!read && status == 0) {
    const pid_t child = fork();
    if (child == 0) {
      alarm(10);  // ends one that waits
      _exit(tokenizers.find("small") ? 0 : 1);
    }
    if (child < 0 || waitpid(child, &status, 0) != child) status = -1;
  }
  EXPECT_EQ(status, 0);
  reader.join();
  std::filesystem::remove(small);
  std::filesystem::remove(large);
}

}  // namespace
}  // namespace farthing
