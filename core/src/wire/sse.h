// EventStream: server-sent events out of bytes split anywhere (a byte at a time, CR, LF, CRLF, BOM, comments, several data
// lines), and what of them the caller may see when. The base of every dialect's StreamReader.
//
// Delivered bytes are the bytes that came: an event is passed on, held back or left out whole.
// Thread-safety: one thread at a time.
#pragma once

#include <string>
#include <string_view>

#include "wire/wire.h"

namespace farthing::wire {

class EventStream : public StreamReader {
 public:
  Delivery feed(std::string_view bytes) final;
  std::string_view finish() final;
  const AnswerFacts& facts() const final { return facts_; }
  std::int64_t output_seen() const final { return output_seen_; }

 protected:
  enum class Fate : std::uint8_t { pass, hold, strip };
  /// `whole_events`: deliver event by event, so that one can be held or left out.
  explicit EventStream(bool whole_events) : whole_events_(whole_events) {}
  /// An event's data; hold: until the next event has come.
  virtual Fate event(std::string_view data) = 0;
  /// The bytes ended.
  virtual void ended() {}

  AnswerFacts facts_;
  std::int64_t output_seen_ = 0;

 private:
  void end_event(std::size_t end);
  void line(std::string_view text);

  const bool whole_events_;
  std::string buffer_;          // bytes of events not finished yet
  std::size_t line_start_ = 0;  // in buffer_
  std::size_t event_start_ = 0;
  Fate fate_ = Fate::pass;  // of the event that ended last
  bool skip_lf_ = false;    // the line before ended with CR
  bool first_line_ = true;
  bool has_data_ = false;
  std::string data_;
  std::string held_;
  std::string out_;
};

}  // namespace farthing::wire
