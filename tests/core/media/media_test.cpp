// Files written here byte by byte, as their formats say; each is read, and each beginning of it is read or unknown.
#include "media/media.h"

#include <gtest/gtest.h>
#include <zlib.h>

#include <string>
#include <vector>

#include "media/base64.h"

namespace farthing {

// For messages of failed tests.
void PrintTo(const MediaFacts& facts, std::ostream* out);
void PrintTo(const MediaFacts& facts, std::ostream* out) {
  *out << static_cast<int>(facts.kind) << " " << facts.width << " x " << facts.height << ", " << facts.duration_ms
       << " ms, " << facts.pages << " pages, likely " << facts.likely_pages;
}

namespace {

using Kind = MediaFacts::Kind;
using namespace std::string_literals;

std::string big(std::uint64_t value, int bytes) {
  std::string out;
  for (int i = bytes; i-- > 0;)
    out += i < 8 ? static_cast<char>(value >> (8 * i) & 0xFF) : '\0';
  return out;
}
std::string little(std::uint64_t value, int bytes) {
  const std::string reversed = big(value, bytes);
  return {reversed.rbegin(), reversed.rend()};
}

MediaFacts whole(const std::string& file) {
  return media_facts(file, static_cast<std::int64_t>(file.size()));
}
MediaFacts image(std::int64_t width, std::int64_t height) {
  return {.kind = Kind::image, .width = width, .height = height};
}
MediaFacts audio(std::int64_t ms) {
  return {.kind = Kind::audio, .duration_ms = ms};
}

std::string base64(std::string_view bytes) {
  constexpr const char* digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string out;
  for (std::size_t at = 0; at < bytes.size(); at += 3) {
    std::uint32_t bits = 0;
    for (std::size_t i = at; i < at + 3; ++i)
      bits = bits << 8 | (i < bytes.size() ? static_cast<unsigned char>(bytes[i]) : 0);
    for (std::size_t i = 0; i < 4; ++i)
      out += i <= bytes.size() - at ? digits[bits >> (18 - 6 * i) & 63] : '=';
  }
  return out;
}

// --- images

std::string png(std::uint64_t width, std::uint64_t height) {
  return "\x89PNG\r\n\x1a\n"s + big(13, 4) + "IHDR" + big(width, 4) + big(height, 4) + "\x08\x02\0\0\0"s + big(0, 4);
}
std::string segment(int marker, const std::string& inside) {
  return "\xFF"s + static_cast<char>(marker) + big(inside.size() + 2, 2) + inside;
}
std::string jpeg_frame(int marker, std::uint64_t width, std::uint64_t height) {
  return segment(marker, "\x08"s + big(height, 2) + big(width, 2) + "\x01\x01\x11\0"s);
}
std::string gif(std::uint64_t width, std::uint64_t height, const std::string& rest) {
  return "GIF89a" + little(width, 2) + little(height, 2) + "\x80\0\0"s + "abcdef" + rest;
}
std::string gif_picture(std::uint64_t left, std::uint64_t width, std::uint64_t height) {
  return "," + little(left, 2) + little(0, 2) + little(width, 2) + little(height, 2) + "\0"s;
}
std::string webp(const std::string& kind, const std::string& inside) {
  return "RIFF" + little(inside.size() + 12, 4) + "WEBP" + kind + little(inside.size(), 4) + inside;
}
std::string box(const std::string& kind, const std::string& inside) {
  return big(inside.size() + 8, 4) + kind + inside;
}
std::string avif(std::uint64_t width, std::uint64_t height, const std::string& brand = "avif") {
  const auto size = [](std::uint64_t w, std::uint64_t h) { return box("ispe", big(0, 4) + big(w, 4) + big(h, 4)); };
  return box("ftyp", brand + big(0, 4) + "mif1") +
         box("meta", big(0, 4) + box("hdlr", "x") +
                         box("iprp", box("ipco", size(160, 120) + box("pixi", "x") + size(width, height)))) +
         box("mdat", "xxxx");
}

TEST(Media, images_tell_their_size) {
  EXPECT_EQ(whole(png(1920, 1080)), image(1920, 1080));
  EXPECT_EQ(whole(gif(20, 10, gif_picture(0, 20, 10))), image(20, 10));
  EXPECT_EQ(whole(gif(20, 10, "!\xF9\x04"s + "abcd\0"s + "!\xFE\x02xy\x01z\0"s + gif_picture(0, 20, 10))),
            image(20, 10));
  EXPECT_EQ(whole(webp("VP8 ", "abc\x9D\x01\x2A"s + little(0x4000 | 550, 2) + little(368, 2))), image(550, 368));
  EXPECT_EQ(whole(webp("VP8L", "\x2F"s + little(399U | 300U << 14U, 4))), image(400, 301));
  EXPECT_EQ(whole(webp("VP8X", "\x10\0\0\0"s + little(4095, 3) + little(99'999, 3))), image(4096, 100'000));
  EXPECT_EQ(whole(avif(800, 600)), image(800, 600));
  EXPECT_EQ(whole(avif(800, 600, "heic")), image(800, 600));
}

TEST(Media, a_jpeg_is_as_large_as_its_frame_and_not_as_its_thumbnail) {
  const std::string thumbnail = segment(0xE1, "Exif\0\0"s + "\xFF\xD8" + jpeg_frame(0xC0, 160, 120) + "\xFF\xD9");
  for (const int marker : {0xC0, 0xC1, 0xC2, 0xC9}) {  // plain, extended, progressive, arithmetic
    EXPECT_EQ(whole("\xFF\xD8" + thumbnail + segment(0xC4, "tables") + "\xFF\xFF" + jpeg_frame(marker, 4032, 3024)),
              image(4032, 3024));
  }
  // Its notes can be longer than what is looked at first.
  std::string far = "\xFF\xD8";
  for (int i = 0; i < 4; ++i)
    far += segment(0xE2, std::string(60'000, 'x'));
  far += jpeg_frame(0xC0, 4032, 3024);
  EXPECT_EQ(whole(far), image(4032, 3024));
  EXPECT_EQ(media_facts_of_base64(base64(far)), image(4032, 3024));
  EXPECT_EQ(whole("\xFF\xD8" + jpeg_frame(0xC0, 4032, 0)), MediaFacts{});  // told at its end
  EXPECT_EQ(whole("\xFF\xD8" + segment(0xDA, "xx") + jpeg_frame(0xC0, 4, 4)), MediaFacts{});
}

TEST(Media, images_that_lie_are_unknown_or_as_large_as_they_can_be) {
  EXPECT_EQ(whole(png(0, 10)), MediaFacts{});
  EXPECT_EQ(whole(png(10, 0x7FFFFFFF)), MediaFacts{});
  EXPECT_EQ(whole(png(1U << 20U, 1)), image(1 << 20, 1));
  EXPECT_EQ(whole(png((1U << 20U) + 1, 1)), MediaFacts{});
  EXPECT_EQ(whole(gif(1, 1, gif_picture(50, 300, 200))), image(350, 200));  // drawn beyond the screen
  EXPECT_EQ(whole(gif(1, 1, ";")), MediaFacts{});
  EXPECT_EQ(whole(webp("VP8L", "\x2E"s + little(0, 4))), MediaFacts{});
  EXPECT_EQ(whole(webp("ICCP", std::string(20, 'x'))), MediaFacts{});
  EXPECT_EQ(whole(avif(0, 0) + avif(0, 0)), image(160, 120));
  EXPECT_EQ(whole(box("ftyp", "avif") + box("meta", big(0, 4))), MediaFacts{});
  EXPECT_EQ(whole("BM....."), MediaFacts{});
  EXPECT_EQ(whole(""), MediaFacts{});
}

// --- sound

std::string wav(int format, int channels, std::uint64_t rate, int bits, const std::string& after_format,
                std::uint64_t told) {
  const int frame = channels * bits / 8;
  return "RIFF" + little(told + 36, 4) + "WAVE" + "fmt " + little(16, 4) +
         little(static_cast<std::uint64_t>(format), 2) + little(static_cast<std::uint64_t>(channels), 2) +
         little(rate, 4) + little(rate * static_cast<std::uint64_t>(frame), 4) +
         little(static_cast<std::uint64_t>(frame), 2) + little(static_cast<std::uint64_t>(bits), 2) + after_format +
         "data" + little(told, 4);
}

TEST(Media, a_wav_lasts_as_long_as_its_bytes) {
  const std::string second(32'000, 'x');  // 16 kHz, 16 bits
  for (const std::uint64_t told : {32'000ULL, 0ULL, 1ULL, 0xFFFFFFFFULL, 64'000ULL})
    EXPECT_EQ(whole(wav(1, 1, 16'000, 16, "", told) + second), audio(1'000)) << told;
  EXPECT_EQ(whole(wav(1, 1, 16'000, 16, "LIST" + little(3, 4) + "abc\0"s, 32'000) + second), audio(1'000));
  EXPECT_EQ(whole(wav(3, 2, 16'000, 32, "", 0) + second), audio(250));
  EXPECT_EQ(whole(wav(7, 1, 8'000, 8, "", 0) + second), audio(4'000));
  // Its beginning is enough, with the size of the whole.
  const std::string head = wav(1, 1, 16'000, 16, "", 0);
  EXPECT_EQ(media_facts(head, static_cast<std::int64_t>(head.size()) + 32'001), audio(1'001));
  EXPECT_EQ(media_facts(head, -1), MediaFacts{});
  EXPECT_EQ(whole(wav(0x11, 1, 16'000, 16, "", 0) + second), MediaFacts{});  // compressed
  const std::string again = wav(1, 1, 8'000, 16, "", 0).substr(12, 24);
  EXPECT_EQ(whole(wav(1, 1, 16'000, 16, again, 0) + second), MediaFacts{});  // which of both counts?
  EXPECT_EQ(whole(wav(1, 0, 16'000, 16, again, 0) + second), MediaFacts{});
  EXPECT_EQ(whole(wav(1, 0, 16'000, 16, "", 0) + second), MediaFacts{});
  EXPECT_EQ(whole(wav(1, 1, 0, 16, "", 0) + second), MediaFacts{});
  EXPECT_EQ(whole(wav(1, 1, 4'000'000'000, 16, "", 0) + second), MediaFacts{});
  EXPECT_EQ(whole(wav(1, 1, 16'000, 16, "", 0)), MediaFacts{});  // no sound
}

/// MPEG 1, layer III, 128 kbit/s, 44.1 kHz: 417 bytes, 26.12 ms.
std::string mp3_frames(int count) {
  std::string out;
  for (int i = 0; i < count; ++i)
    out += "\xFF\xFB\x90\xC0"s + std::string(413, 'x');
  return out;
}

TEST(Media, an_mp3_lasts_as_long_as_its_frames) {
  EXPECT_EQ(whole(mp3_frames(100)), audio(2'613));
  // What a header says of their number is not believed.
  std::string xing = mp3_frames(1);
  xing.replace(36, 12, "Xing" + big(1, 4) + big(1, 4));
  EXPECT_EQ(whole(xing + mp3_frames(99)), audio(2'613));
  const std::string tag = "ID3\x04\0\0"s + "\0\0\x01\x00"s + std::string(128, '\xFF');
  EXPECT_EQ(whole(tag + std::string(500, '\0') + mp3_frames(100) + "TAG" + std::string(125, 'x')), audio(2'613));
  // What is no frame could be sound at the lowest rate.
  EXPECT_EQ(whole(mp3_frames(50) + std::string(700, 'x') + mp3_frames(50)), audio(3'313));
  // MPEG 2, 8 kbit/s at 16 kHz: 36 bytes, 36 ms; and one that is cut off counts whole.
  std::string slow;
  for (int i = 0; i < 10; ++i)
    slow += "\xFF\xF3\x18\xC0"s + std::string(32, 'x');
  EXPECT_EQ(whole(slow), audio(360));
  EXPECT_EQ(whole(slow.substr(0, slow.size() - 20)), audio(360));
  EXPECT_EQ(whole(mp3_frames(1)), MediaFacts{});  // could be chance
  EXPECT_EQ(whole("\xFF\xFB\x00\xC0"s + std::string(1'000, 'x')), MediaFacts{});
  EXPECT_EQ(media_facts(mp3_frames(10), 1'000'000), MediaFacts{});  // only its beginning is there
  EXPECT_EQ(whole("ID3\x04\0\0\x7F\x7F\x7F\x7F"s + mp3_frames(10)), MediaFacts{});
}

TEST(Media, an_aac_stream_lasts_as_long_as_its_frames) {
  // 44.1 kHz, 20 bytes: 23.22 ms.
  const std::string frame = "\xFF\xF1\x50\x80\x02\x9F\xFC"s + std::string(13, 'x');
  std::string file;
  for (int i = 0; i < 100; ++i)
    file += frame;
  EXPECT_EQ(whole(file), audio(2'322));
  EXPECT_EQ(whole(file + "x"), MediaFacts{});
}

unsigned crc8(const std::string& bytes) {
  unsigned crc = 0;
  for (const char c : bytes) {
    for (unsigned bit = 0x80; bit != 0; bit >>= 1U) {
      const bool one = ((crc & 0x80U) != 0) != ((static_cast<unsigned char>(c) & bit) != 0);
      crc = (crc << 1U & 0xFFU) ^ (one ? 0x07U : 0U);
    }
  }
  return crc;
}
std::string flac_frame(const std::string& head) {
  return head + static_cast<char>(crc8(head)) + std::string(50, 'x');
}
std::string flac(std::uint64_t rate, std::uint64_t total, const std::string& frames) {
  return "fLaC\0"s + big(34, 3) + big(4096, 2) + big(4096, 2) + big(0, 6) +
         big(rate << 44U | 0xFULL << 36U | total, 8) + std::string(16, '\0') + "\x84"s + big(5, 3) + "notes" + frames;
}

TEST(Media, a_flac_lasts_as_long_as_its_frames) {
  std::string frames;
  for (int i = 0; i < 100; ++i)
    frames += flac_frame("\xFF\xF8\xC9\x18"s + static_cast<char>(i));  // 4,096 samples at 44.1 kHz: 92.9 ms
  EXPECT_EQ(whole(flac(44'100, 409'600, frames)), audio(9'288));
  EXPECT_EQ(whole(flac(44'100, 1, frames)), audio(9'288));
  EXPECT_EQ(whole(flac(44'100, 441'000, frames)), audio(10'000));
  EXPECT_EQ(whole(flac(44'100, 1, flac_frame("\xFF\xF8\x7D\x18\xC4\x80"s + big(44'099, 2) + big(8'000, 2)))),
            audio(5'513));  // lengths and rates of its own
  EXPECT_EQ(whole(flac(0, 409'600, frames)), MediaFacts{});
  EXPECT_EQ(whole(flac(44'100, 409'600, "")), MediaFacts{});
  EXPECT_EQ(whole(flac(1, 0xFFFFFFFFF, frames)), MediaFacts{});
}

std::string page(int flags, int serial, const std::vector<std::string>& packets, std::uint64_t granule = 0) {
  std::string table, inside;
  for (const std::string& packet : packets) {
    table += std::string(packet.size() / 255, '\xFF') + static_cast<char>(packet.size() % 255);
    inside += packet;
  }
  return "OggS\0"s + static_cast<char>(flags) + little(granule, 8) + little(static_cast<std::uint64_t>(serial), 4) +
         big(0, 8) + static_cast<char>(table.size()) + table + inside;
}

TEST(Media, an_ogg_lasts_as_long_as_its_packets) {
  const std::string opus =
      page(2, 1, {"OpusHead" + std::string(11, 'x')}) + page(0, 1, {"OpusTags" + std::string(900, 'x')});
  const std::string ms20 = "\x08"s + std::string(600, 'x');          // SILK, 20 ms
  const std::string ms15 = "\xFB"s + "\x03" + std::string(20, 'x');  // CELT, 20 ms, three frames
  const std::string ms5 = "\xE1"s + std::string(5, 'x');             // CELT, 2.5 ms, two frames
  EXPECT_EQ(whole(opus + page(0, 1, {ms20, ms20}) + page(4, 1, {ms15, ms5})), audio(20 + 20 + 60 + 5));
  // Chained: one after the other.
  const std::string once = opus + page(0, 1, {ms20, ms20});
  EXPECT_EQ(whole(once + once), audio(80));
  EXPECT_EQ(whole(once + "x"), MediaFacts{});

  const std::string head = "\x01vorbis"s + big(0, 4) + "\x02" + little(44'100, 4) + big(0, 12) + "\xB8\x01";  // 2,048
  const std::string vorbis = page(2, 9, {head}) + page(0, 9, {"\x03vorbis", "\x05vorbis"});
  EXPECT_EQ(whole(vorbis + page(0, 9, {"a", "b", "c"})), audio(70));  // 3 x 23.22
  EXPECT_EQ(whole(page(2, 9, {"\x80theora"}) + vorbis), MediaFacts{});
}

TEST(Media, an_ogg_lasts_as_long_as_its_positions_if_they_are_beyond_its_packets) {
  constexpr std::uint64_t hour = std::uint64_t{48'000} * 3'600;
  constexpr std::uint64_t none = ~std::uint64_t{0};
  const std::string opus =
      page(2, 1, {"OpusHead\x01\x02" + little(312, 2) + std::string(7, 'x')}) + page(0, 1, {"OpusTags"});
  const std::string ms20 = "\x08xxx";
  const auto told = [&](std::uint64_t granule) { return opus + page(4, 1, {ms20, ms20}, granule); };
  EXPECT_EQ(whole(told(hour + 312)), audio(3'600'000));
  EXPECT_EQ(whole(told(960)), audio(40));
  EXPECT_EQ(whole(told(100)), audio(40));  // before what is skipped
  EXPECT_EQ(whole(told(none)), audio(40));
  EXPECT_EQ(whole(told(none - 1)), MediaFacts{});
  EXPECT_EQ(whole(opus + page(0, 1, {ms20}, hour + 312) + page(4, 1, {ms20}, 960)), audio(3'600'000));  // the largest
  // Each stream for itself, chained or side by side.
  EXPECT_EQ(whole(told(hour + 312) + told(hour + 312)), audio(7'200'000));
  const std::string head = "\x01vorbis"s + big(0, 4) + "\x02" + little(44'100, 4) + big(0, 12) + "\xB8\x01";
  const std::string vorbis = page(2, 9, {head}) + page(0, 9, {"\x03vorbis", "\x05vorbis"}) + page(4, 9, {"a"}, 441'000);
  EXPECT_EQ(whole(vorbis), audio(10'000));
  EXPECT_EQ(whole(vorbis + told(hour + 312)), audio(3'610'000));
  EXPECT_EQ(whole(vorbis + page(2, 7, {}, 960)), MediaFacts{});  // of whose rate nothing is known
}

std::string clock_box(const std::string& kind, std::uint64_t rate, std::uint64_t ticks) {
  return box(kind, big(0, 12) + big(rate, 4) + big(ticks, 4) + big(0, 80));
}
std::string movie(const std::string& handler, std::uint64_t told, const std::string& times,
                  const std::string& more = "") {
  return box("ftyp", "M4A ") + box("mdat", "xxxx") +
         box("moov",
             clock_box("mvhd", 1'000, told) +
                 box("trak", box("mdia", clock_box("mdhd", 44'100, 0) + box("hdlr", big(0, 8) + handler + big(0, 12)) +
                                             box("minf", box("stbl", box("stts", big(0, 4) + times))))) +
                 more);
}

TEST(Media, an_mp4_lasts_as_long_as_its_tables_say) {
  const std::string ten_seconds = big(2, 4) + big(400, 4) + big(1'024, 4) + big(1, 4) + big(31'400, 4);
  EXPECT_EQ(whole(movie("soun", 10'000, ten_seconds)), audio(10'000));
  EXPECT_EQ(whole(movie("soun", 1, ten_seconds)), audio(10'000));
  EXPECT_EQ(whole(movie("soun", 0xFFFFFFFF, ten_seconds)), audio(10'000));
  EXPECT_EQ(whole(movie("soun", 12'345, ten_seconds)), audio(12'345));
  EXPECT_EQ(whole(movie("vide", 1, ten_seconds)), (MediaFacts{.kind = Kind::video, .duration_ms = 10'000}));
  EXPECT_EQ(whole(movie("text", 1, ten_seconds)), MediaFacts{});
  EXPECT_EQ(whole(movie("soun", 1, big(9'999, 4) + big(1, 8))), MediaFacts{});
  EXPECT_EQ(whole(movie("soun", 1, big(1, 4) + big(~0ULL, 8))), MediaFacts{});
  EXPECT_EQ(whole(movie("soun", 1, ten_seconds, box("mvex", ""))), MediaFacts{});  // in fragments
  EXPECT_EQ(whole(movie("soun", 1, ten_seconds, "garbage")), MediaFacts{});
}

TEST(Media, an_mp4_that_tells_its_length_twice_is_unknown) {
  const std::string ten_seconds = big(1, 4) + big(1, 4) + big(441'000, 4);
  const std::string good = movie("soun", 1, ten_seconds);
  EXPECT_EQ(whole(good), audio(10'000));
  EXPECT_EQ(whole(movie("soun", 1, ten_seconds, clock_box("mvhd", 1'000, 1))), MediaFacts{});
  const auto track = [&](const std::string& clocks) {
    return box("trak", box("mdia", clocks + box("hdlr", big(0, 8) + "soun" + big(0, 12)) +
                                       box("minf", box("stbl", box("stts", big(0, 4) + ten_seconds)))));
  };
  const std::string slow = clock_box("mdhd", 44'100, 0);
  EXPECT_EQ(whole(movie("soun", 1, ten_seconds, track(slow))), audio(10'000));
  EXPECT_EQ(whole(movie("soun", 1, ten_seconds, track(slow + clock_box("mdhd", 441'000, 0)))), MediaFacts{});
  EXPECT_EQ(whole(good + box("moof", "")), MediaFacts{});  // a fragment that was not announced
}

TEST(Media, an_mp4_lasts_as_long_as_its_edits) {
  const std::string ten_seconds = big(1, 4) + big(1, 4) + big(441'000, 4);
  const auto with = [&](const std::string& inside) {
    return whole(movie("soun", 1, ten_seconds,
                       box("trak", inside + box("mdia", clock_box("mdhd", 44'100, 0) +
                                                            box("minf", box("stbl", box("stts", big(0, 8))))))));
  };
  const auto edits = [](const std::string& list) { return box("edts", box("elst", list)); };
  // In the movie's thousandths, whatever the track's rate is.
  EXPECT_EQ(with(box("tkhd", big(0, 20) + big(20'000, 4) + big(0, 60))), audio(20'000));
  EXPECT_EQ(with(box("tkhd", big(1, 1) + big(0, 27) + big(20'000, 8) + big(0, 60))), audio(20'000));
  EXPECT_EQ(with(box("tkhd", big(0, 20) + big(0xFFFFFFFF, 4) + big(0, 60))), audio(10'000));
  EXPECT_EQ(with(box("tkhd", big(0, 20))), MediaFacts{});
  EXPECT_EQ(with(edits(big(0, 4) + big(2, 4) + big(9'000, 4) + big(0, 8) + big(21'000, 4) + big(0, 8))), audio(30'000));
  EXPECT_EQ(with(edits(big(1, 1) + big(0, 3) + big(2, 4) + big(9'000, 8) + big(0, 12) + big(21'000, 8) + big(0, 12))),
            audio(30'000));
  EXPECT_EQ(with(edits(big(0, 4) + big(1, 4) + big(9'000, 4) + big(0, 8))), audio(10'000));
  EXPECT_EQ(with(edits(big(0, 4) + big(0, 4))), audio(10'000));
  EXPECT_EQ(with(edits(big(0, 4) + big(3, 4) + big(9'000, 4) + big(0, 8))), MediaFacts{});  // fewer than told
  EXPECT_EQ(with(edits(big(1, 1) + big(0, 3) + big(2, 4) + big(1ULL << 63U, 8) + big(0, 12) + big(1ULL << 63U, 8) +
                       big(0, 12))),
            MediaFacts{});
}

// --- documents

/// What is likely aside.
MediaFacts bound(const std::string& file) {
  MediaFacts facts = whole(file);
  facts.likely_pages = 0;
  return facts;
}

TEST(Media, a_pdf_has_the_most_pages_that_it_can_have) {
  const auto pages = [](std::int64_t count) { return MediaFacts{.kind = Kind::document, .pages = count}; };
  const std::string page = "3 0 obj <</Type /Page/Parent 2 0 R>> endobj\n";
  const std::string list = "2 0 obj << /Type/Pages /Kids [3 0 R 4 0 R\n5 0 R] /Count 3 >> endobj\n";
  EXPECT_EQ(bound("%PDF-1.4\n" + page), pages(1));
  EXPECT_EQ(bound("%PDF-1.4\n" + list + page), pages(3));
  EXPECT_EQ(bound("%PDF-1.4\n" + page + page + "/Type/Page>>/PageMode/Count 1"), pages(3));
  EXPECT_EQ(bound("%PDF-1.4\n" + page + "/Count 120"), pages(120));
  EXPECT_EQ(whole("%PDF-1.4\n" + page + page + "/Count 120").likely_pages, 2);  // an outline tells such a number
  EXPECT_EQ(bound("%PDF-1.5\n" + page + "<</Type /ObjStm /N 5>>"), MediaFacts{});
  EXPECT_EQ(bound("%PDF-1.5\n" + page + "/Encrypt 9 0 R"), MediaFacts{});
  EXPECT_EQ(bound("%PDF-1.4\n" + page + "/Kids 7 0 R"), MediaFacts{});
  EXPECT_EQ(bound("%PDF-1.4\n" + page + "/Kids [3 0 R"), MediaFacts{});
  EXPECT_EQ(bound("%PDF-1.4\n" + page + "/Count 99999999999999999999"), MediaFacts{});
  EXPECT_EQ(bound("%PDF-1.4\n" + list), MediaFacts{});
  // Names in hex are the same names.
  EXPECT_EQ(bound("%PDF-1.4\n" + page + "/T#79pe/P#61ge>>/#54ype /Page "), pages(3));
  EXPECT_EQ(bound("%PDF-1.4\n" + page + "/C#6funt 7"), pages(7));
  EXPECT_EQ(bound("%PDF-1.5\n" + page + "/Type/O#62jStm"), MediaFacts{});
  EXPECT_EQ(bound("%PDF-1.5\n" + page + "/Encryp#74 9 0 R"), MediaFacts{});
  EXPECT_EQ(bound("%PDF-1.4\n" + page + "/Ki#64s 7 0 R"), MediaFacts{});
  // What a type is stands elsewhere; an object stream that does not say that it is one; an outline is none.
  EXPECT_EQ(bound("%PDF-1.4\n" + page + "/Type 9 0 R"), MediaFacts{});
  EXPECT_EQ(bound("%PDF-1.5\n" + page + "<</N 5 /First 20 /Length 90>>"), MediaFacts{});
  EXPECT_EQ(bound("%PDF-1.4\n" + page + "5 0 obj <</First 20 0 R /Last 21 0 R>> endobj"), pages(1));
  // A list within a list twice is walked twice, and so on in each: 2 to the power of their depth.
  EXPECT_EQ(bound("%PDF-1.4\n" + page + "/Kids [4 0 R 4 0 R]"), MediaFacts{});
  EXPECT_EQ(bound("%PDF-1.4\n" + page + "/Kids [4 0 R] /Kids [5 0 R 04 0 R]"), MediaFacts{});
  EXPECT_EQ(bound("%PDF-1.4\n" + page + "/Kids [4 0 R (a)]"), MediaFacts{});
}

std::string deflated(const std::string& content) {
  std::string out(compressBound(content.size()), '\0');
  auto size = static_cast<uLongf>(out.size());
  EXPECT_EQ(compress(reinterpret_cast<Bytef*>(out.data()), &size, reinterpret_cast<const Bytef*>(content.data()),
                     content.size()),
            Z_OK);
  out.resize(size);
  return out;
}
/// A file whose pages stand in an object stream, as most are since PDF 1.5.
std::string pdf_15(const std::string& content, const std::string& dictionary = "/Type/ObjStm/N 3/First 15",
                   const std::string& filter = "/Filter/FlateDecode") {
  return "%PDF-1.5\n7 0 obj\n<<" + dictionary + filter + "/Length 99>>stream\r\n" + deflated(content) +
         "\r\nendstream\nendobj\n8 0 obj <</Type/XRef/W[1 2 1]/Root 1 0 R>> endobj\n";
}

TEST(Media, pages_in_object_streams_are_counted) {
  const auto pages = [](std::int64_t count) { return MediaFacts{.kind = Kind::document, .pages = count}; };
  const std::string objects =
      "1 0 2 40 3 60 <</Type/Pages/Kids[2 0 R 3 0 R]/Count 2>> <</Type/Page/Parent 1 0 R>> <</Type /Page>>";
  EXPECT_EQ(bound(pdf_15(objects)), pages(2));
  EXPECT_EQ(bound(pdf_15(objects, "/First 15 /N 3\n/Extends 4 0 R ", " /Filter [ /FlateDecode ] ")), pages(2));
  EXPECT_EQ(bound(pdf_15(objects, "/N 3/First 15")), pages(2));  // without a type it is one all the same
  EXPECT_EQ(bound(pdf_15(objects) + pdf_15("5 0 <</Type/Page>>").substr(9)), pages(3));
  EXPECT_EQ(bound(pdf_15(objects) + "3 0 obj <</Type/Page>> endobj\n"), pages(3));
  EXPECT_EQ(bound(pdf_15("1 0 <</Type/Font>>")), MediaFacts{});  // no page at all
}

TEST(Media, object_streams_that_could_hide_pages_are_unknown) {
  const std::string objects = "1 0 <</Type/Page>>";
  ASSERT_EQ(whole(pdf_15(objects)).pages, 1);
  for (const std::string filter :
       {"", "/Filter/LZWDecode", "/Filter[/FlateDecode/ASCIIHexDecode]", "/Filter[/FlateDecode /FlateDecode]",
        "/Filter/FlateDecode/DecodeParms<</Predictor 12>>", "/Filter 9 0 R", "/Filter/FlateDecode/F(elsewhere)",
        "/Filter/FlateDecode/Filter/ASCIIHexDecode", "/Filter/FlateDecode/First 4", "/Filter/FlateDecode/Type/ObjStm",
        "/F#69lter/ASCIIHexDecode/Filter/FlateDecode", "/Filter/ASCIIHexDecode/A(<<)/First 2/Filter/FlateDecode",
        "/Filter/ASCIIHexDecode%<<\n/First 2/Filter/FlateDecode",
        "/Filter/ASCIIHexDecode/A %<<\n/First 2/Filter/FlateDecode",
        "/Filter/ASCIIHexDecode/A<</First 2/Filter/FlateDecode>>"})
    EXPECT_EQ(bound(pdf_15(objects, "/Type/ObjStm/N 1/First 4", filter)), MediaFacts{}) << filter;
  // Within one that was read there is none.
  EXPECT_EQ(bound(pdf_15(objects + "<</Type/ObjStm/First 4>>")), MediaFacts{});
  EXPECT_EQ(bound(pdf_15(objects + "/Kids 7 0 R")), MediaFacts{});
  // Damaged; and 40 MB of nothing, which is 40 KB in the file.
  std::string file = pdf_15(objects);
  for (std::size_t at = file.find("stream") + 8; at < file.find("endstream") - 2; ++at) {
    std::string damaged = file;
    damaged[at] = static_cast<char>(~damaged[at]);
    EXPECT_EQ(bound(damaged), MediaFacts{}) << at;
  }
  EXPECT_EQ(bound(pdf_15(objects + std::string(40U << 20U, ' '))), MediaFacts{});
  EXPECT_EQ(bound(pdf_15(objects + std::string(20U << 20U, ' ')) + pdf_15(std::string(20U << 20U, ' ')).substr(9)),
            MediaFacts{});
}

TEST(Media, object_streams_whose_first_stands_elsewhere_are_no_outlines) {
  const std::string objects = "1 0 <</Type/Page>>";
  for (const std::string more :
       {"", "/A(>>)", "/A(\\)>>)", "/A((a)>>)", "/A<3E3E>", "/A<</B 1>>", "/A[<</B[1]>>]", "%>>\n", "%(\n"}) {
    const std::string first = "/N 1/First 7 0 R" + more;
    EXPECT_EQ(bound(pdf_15(objects) + pdf_15(objects, first).substr(9)), MediaFacts{}) << more;
    EXPECT_EQ(whole(pdf_15(objects) + "9 0 obj\n<<" + first + "/Last 8 0 R >>\nendobj").pages, 1) << more;
  }
  // What readers may take for the end, or not.
  for (const std::string more : {"/A[>> endobj]", "/A(", "/A)", "/A>", "/A]", "/A<3E(", "/A<3E", "/A[", "/A<<", "%"})
    EXPECT_EQ(whole(pdf_15(objects) + "9 0 obj <</First 7 0 R" + more + ">> endobj").pages, 0) << more;
  // A remark that looks like one does not cover one.
  EXPECT_EQ(bound(pdf_15(objects) + "%/First 7 0 R(\n" + pdf_15(objects, "/First 7 0 R/A()>>endobj)").substr(9)),
            MediaFacts{});
  // None is inside of another.
  EXPECT_EQ(whole(pdf_15(objects + "<</First 7 0 R")).pages, 1);
}

// Each of these takes minutes or hours where a part of it is read again for every other.
TEST(Media, a_pdf_is_read_once) {
  const auto times = [](int count, const std::string& text) {
    std::string out;
    for (int i = 0; i < count; ++i)
      out += text;
    return out;
  };
  const std::string objects = "1 0 <</Type/Page>>";
  constexpr int many = 500'000;
  for (const std::string name : {"/First 1 ", "/Type/ObjStm ", "/N 1 ", "/Length 7 0 R "})
    EXPECT_EQ(bound(pdf_15(objects, times(many, name))), MediaFacts{}) << name;
  for (const std::string outline : {"<</First 7 0 R ", "/First 7 0 R "})
    EXPECT_EQ(bound(pdf_15(objects) + "<<" + times(many, outline) + times(many, ">>") + "endobj"), MediaFacts{});
  EXPECT_EQ(whole(pdf_15(objects) + times(many, "<</First 7 0 R>>endobj ")).pages, 1);
  // Streams that begin inside of another, in blocks that are stored as they are.
  std::string inner = deflated(objects);
  for (int i = 0; i < 2; ++i) {
    inner = "<</N 1/First 4/Filter/FlateDecode>>stream\n" + inner;
    const std::string size = little(inner.size(), 2) + little(~inner.size(), 2);
    const auto sum = adler32(1, reinterpret_cast<const Bytef*>(inner.data()), static_cast<uInt>(inner.size()));
    inner = "\x78\x01\x01" + size + inner + big(sum, 4);
    EXPECT_EQ(whole("%PDF-1.5\n3 0 obj <</Type/Page>>\n<</N 1/First 4/Filter/FlateDecode>>stream\n" + inner).pages, 0);
  }
}

TEST(Media, objects_of_a_pdf_grow_no_more_than_pages_do) {
  std::string objects;
  for (int i = 1; i <= 900; ++i) {
    const std::string at = std::to_string(i);
    objects +=
        "<</Type/Page/Parent 1 0 R/MediaBox[0 0 612 792]/Contents " + at + " 0 R/Resources<</Font<</F1 5 0 R>>>>>>\n";
  }
  EXPECT_EQ(whole(pdf_15(objects)).pages, 0);
  EXPECT_EQ(whole(pdf_15(objects) + std::string(900 * 10, 'x')).pages, 900);  // what stands on the pages
  // Bytes, names, children.
  const std::string rest(7'000, ' ');
  EXPECT_EQ(whole(pdf_15("1 0 <</Type/Page>>" + std::string(80'000, ' '))).pages, 0);
  EXPECT_EQ(whole(pdf_15("1 0 <</Type/Page>>" + std::string(80'000, ' ')) + rest).pages, 1);
  EXPECT_EQ(whole(pdf_15("1 0 <</Type/Page>>" + std::string(10'000, '/')) + rest).pages, 0);
  EXPECT_EQ(whole(pdf_15("1 0 <</Type/Page>>" + std::string(5'000, '/')) + rest).pages, 1);
}

// --- base64, and what is cut off

TEST(Media, base64_is_read_as_providers_take_it) {
  const std::string file = png(640, 480);
  std::string text = base64(file);
  ASSERT_EQ(*media::from_base64(text, text.size()), file);
  EXPECT_EQ(media_facts_of_base64(text), image(640, 480));
  EXPECT_EQ(media_facts_of_base64("data:image/png;base64," + text), image(640, 480));
  EXPECT_EQ(media_facts_of_base64("data:image/png;name=a;base64," + text), image(640, 480));
  EXPECT_EQ(media_facts_of_base64("data:image/png," + text), MediaFacts{});
  EXPECT_EQ(media_facts_of_base64("data:image/png;base64"), MediaFacts{});
  std::string lines = text;
  lines.insert(10, "\r\n");
  EXPECT_EQ(media_facts_of_base64(lines + "\n"), image(640, 480));
  for (char& c : text)
    c = c == '+' ? '-' : c == '/' ? '_' : c;
  EXPECT_EQ(media_facts_of_base64(text.substr(0, text.find('='))), image(640, 480));
  EXPECT_EQ(media_facts_of_base64("!" + text), MediaFacts{});
  EXPECT_EQ(media_facts_of_base64("iVBOR w0KGgo*"), MediaFacts{});
  EXPECT_EQ(media_facts_of_base64(""), MediaFacts{});
  EXPECT_FALSE(media::from_base64("A", 10));
  EXPECT_EQ(*media::from_base64("AAE", 10), "\0\x01"s);
}

TEST(Media, what_is_cut_off_is_never_smaller) {
  const std::string opus = page(2, 1, {"OpusHead"}) + page(0, 1, {"OpusTags"}) + page(4, 1, {"\x08xxx", "\x08xxx"});
  for (const std::string& file :
       {png(640, 480), "\xFF\xD8" + jpeg_frame(0xC2, 640, 480), gif(64, 48, gif_picture(0, 64, 48)), avif(800, 600),
        webp("VP8X", std::string(4, '\0') + little(99, 3) + little(99, 3)), wav(1, 1, 16'000, 16, "", 9) + "xxxxxxxxxx",
        movie("soun", 10'000, big(1, 4) + big(1, 4) + big(441'000, 4))}) {
    const MediaFacts facts = whole(file);
    ASSERT_NE(facts.kind, Kind::unknown);
    for (std::size_t length = 0; length < file.size(); ++length) {
      const MediaFacts cut = media_facts(file.substr(0, length), static_cast<std::int64_t>(file.size()));
      EXPECT_TRUE(cut == facts || cut == MediaFacts{})
          << testing::PrintToString(cut) << " of " << testing::PrintToString(facts) << " at " << length;
    }
  }
  EXPECT_EQ(whole(opus), audio(40));
  for (std::size_t length = 0; length < opus.size(); ++length)
    EXPECT_EQ(media_facts(opus.substr(0, length), static_cast<std::int64_t>(opus.size())), MediaFacts{});
}

}  // namespace
}  // namespace farthing
