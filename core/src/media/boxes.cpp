// Files made of boxes (ISO 14496-12): MP4 and M4A by their tables of samples, AVIF and HEIC by the sizes of their pictures.
#include <algorithm>
#include <array>

#include "media/bytes.h"
#include "media/readers.h"

namespace farthing::media {
namespace {

struct Box {
  std::string_view kind;
  std::string_view inside;
};

/// Takes the first box off `rest`; nothing where there is none, or it is longer than what is there.
bool next_box(std::string_view& rest, Box& box) {
  Bytes bytes(rest);
  std::uint64_t size = bytes.big(0, 4);
  std::uint64_t head = 8;
  if (size == 1) {
    size = bytes.big(8, 8);
    head = 16;
  } else if (size == 0) {
    size = rest.size();
  }
  if (bytes.cut() || rest.size() < head || size < head || size > rest.size()) return false;
  box = {rest.substr(4, 4), rest.substr(head, size - head)};
  rest.remove_prefix(size);
  return true;
}

/// Each box of a kind inside `within`; false where something there is no whole box.
template <class Each>
bool each_box(std::string_view within, std::string_view kind, const Each& each) {
  for (Box box; next_box(within, box);) {
    if (box.kind == kind) each(box.inside);
  }
  return within.empty();
}

/// What stands after the version and flags that some boxes begin with.
std::string_view after_version(std::string_view box) {
  return box.substr(std::min<std::size_t>(4, box.size()));
}

/// A count of ticks as time; `ticks` may be anything.
std::uint64_t time_of(std::uint64_t ticks, std::uint64_t per_second, bool& unknown) {
  constexpr std::uint64_t most_seconds = 366 * 86'400;
  if (per_second == 0 || ticks / per_second > most_seconds) {
    unknown = true;
    return 0;
  }
  return ticks / per_second * nanoseconds_per_second + nanoseconds(ticks % per_second, per_second);
}

/// Some boxes have a version with wider numbers.
bool is_wide(Bytes& box) {
  return box.big(0, 1) == 1;
}

/// A length of mvhd, mdhd or tkhd. All ones: it is not told.
std::uint64_t ticks_at(Bytes& box, std::uint64_t at, bool wide) {
  const std::uint64_t ticks = box.big(at, wide ? 8 : 4);
  return ticks == (wide ? ~std::uint64_t{0} : 0xFFFF'FFFFU) ? 0 : ticks;
}

/// mvhd and mdhd: a rate and a length in it, whose places depend on the version.
struct Clock {
  std::uint64_t per_second = 0;
  std::uint64_t ticks = 0;
};
Clock clock_of(std::string_view box) {
  Bytes bytes(box);
  const bool wide = is_wide(bytes);
  const Clock clock{bytes.big(wide ? 20 : 12, 4), ticks_at(bytes, wide ? 24 : 16, wide)};
  return bytes.cut() ? Clock{} : clock;
}

struct Movie {
  std::uint64_t longest = 0;  // nanoseconds
  bool sound = false;
  bool video = false;
  bool unknown = false;

  void read(std::string_view moov) {
    // In fragments the samples are told all over the file.
    each_box(moov, "mvex", [&](std::string_view) { unknown = true; });
    const Clock clock = only_clock(moov, "mvhd");
    longer(clock);
    whole(each_box(moov, "trak", [&](std::string_view track) {
      each_box(track, "tkhd", [&](std::string_view box) { longer({clock.per_second, shown(box)}); });
      each_box(track, "edts", [&](std::string_view edits) {
        whole(each_box(edits, "elst", [&](std::string_view box) { longer({clock.per_second, edited(box)}); }));
      });
      whole(each_box(track, "mdia", [&](std::string_view media) { this->track(media); }));
    }));
  }
  void track(std::string_view media) {
    const Clock clock = only_clock(media, "mdhd");
    bool told = false;
    each_box(media, "hdlr", [&](std::string_view box) {
      video = video || Bytes(box).is(8, "vide");
      sound = sound || Bytes(box).is(8, "soun");
    });
    longer(clock);
    whole(each_box(media, "minf", [&](std::string_view minf) {
      each_box(minf, "stbl", [&](std::string_view table) {
        each_box(table, "stts", [&](std::string_view box) {
          told = true;
          longer({clock.per_second, samples(box)});
        });
      });
    }));
    whole(told);
  }
  void whole(bool good) { unknown = unknown || !good; }
  void longer(Clock clock) { longest = std::max(longest, time_of(clock.ticks, clock.per_second, unknown)); }
  /// Of two, which one counts is not known.
  Clock only_clock(std::string_view within, std::string_view kind) {
    int found = 0;
    Clock clock;
    each_box(within, kind, [&](std::string_view box) {
      clock = clock_of(box);
      ++found;
    });
    whole(found == 1);
    return clock;
  }
  /// tkhd
  std::uint64_t shown(std::string_view box) {
    Bytes bytes(box);
    const bool wide = is_wide(bytes);
    const std::uint64_t ticks = ticks_at(bytes, wide ? 28 : 20, wide);
    whole(!bytes.cut());
    return ticks;
  }
  /// elst
  std::uint64_t edited(std::string_view box) {
    Bytes bytes(box);
    const bool wide = is_wide(bytes);
    const std::uint64_t size = wide ? 20 : 12;
    return sum(bytes, size, [&](std::uint64_t at) { return bytes.big(at, wide ? 8 : 4); });
  }
  /// stts
  std::uint64_t samples(std::string_view box) {
    Bytes bytes(box);
    return sum(bytes, 8, [&](std::uint64_t at) { return bytes.big(at, 4) * bytes.big(at + 4, 4); });
  }
  /// Of the ticks of all entries of a table, which are `size` bytes each.
  template <class TicksAt>
  std::uint64_t sum(Bytes& bytes, std::uint64_t size, const TicksAt& ticks_of) {
    const std::uint64_t entries = bytes.big(4, 4);
    if (entries > bytes.size() / size) unknown = true;
    constexpr std::uint64_t most_ticks = std::uint64_t{1} << 62U;
    std::uint64_t ticks = 0;
    for (std::uint64_t i = 0; i < entries && !unknown; ++i) {
      const std::uint64_t more = ticks_of(8 + size * i);
      if (bytes.cut() || more > most_ticks || ticks > most_ticks) unknown = true;
      ticks += more;
    }
    return ticks;
  }
};

}  // namespace

MediaFacts read_mp4(std::string_view bytes) {
  if (!Bytes(bytes).is(4, "ftyp")) return {};
  Movie movie;
  each_box(bytes, "moof", [&](std::string_view) { movie.unknown = true; });
  each_box(bytes, "moov", [&](std::string_view moov) { movie.read(moov); });
  if (movie.unknown || !(movie.video || movie.sound)) return {};
  return sound_of(movie.longest, movie.video ? MediaFacts::Kind::video : MediaFacts::Kind::audio);
}

MediaFacts read_boxed_image(std::string_view bytes) {
  constexpr std::array<std::string_view, 8> brands = {"avif", "avis", "heic", "heix", "heim", "heis", "mif1", "msf1"};
  if (!Bytes(bytes).is(4, "ftyp") ||
      std::none_of(brands.begin(), brands.end(), [&](std::string_view brand) { return Bytes(bytes).is(8, brand); }))
    return {};
  // The picture and its tiles and thumbnails have a size each: none is larger than the largest sides.
  std::uint64_t width = 0;
  std::uint64_t height = 0;
  each_box(bytes, "meta", [&](std::string_view meta) {
    each_box(after_version(meta), "iprp", [&](std::string_view iprp) {
      each_box(iprp, "ipco", [&](std::string_view ipco) {
        each_box(ipco, "ispe", [&](std::string_view ispe) {
          Bytes size(ispe);
          width = std::max(width, size.big(4, 4));
          height = std::max(height, size.big(8, 4));
        });
      });
    });
  });
  return image_of(width, height);
}

}  // namespace farthing::media
