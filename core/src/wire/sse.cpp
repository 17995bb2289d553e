#include "wire/sse.h"

namespace farthing::wire {

StreamReader::Delivery EventStream::feed(std::string_view bytes) {
  out_.clear();
  const bool nothing_waits = buffer_.empty() && held_.empty();
  buffer_.append(bytes);
  std::size_t at = buffer_.size() - bytes.size();
  for (; at < buffer_.size(); ++at) {
    const char c = buffer_[at];
    if (skip_lf_) {
      skip_lf_ = false;
      if (c == '\n') {
        line_start_ = at + 1;
        // The LF of a CRLF that ended an event belongs to that event's bytes, and goes where they went.
        if (event_start_ == at) {
          if (fate_ == Fate::pass) out_.push_back(c);
          if (fate_ == Fate::hold) held_.push_back(c);
          event_start_ = at + 1;
        }
        continue;
      }
    }
    if (c != '\n' && c != '\r') {
      // Not find_first_of: that calls memchr for every byte.
      while (at + 1 < buffer_.size() && buffer_[at + 1] != '\n' && buffer_[at + 1] != '\r')
        ++at;
      continue;
    }
    skip_lf_ = c == '\r';
    const std::string_view text(buffer_.data() + line_start_, at - line_start_);
    line_start_ = at + 1;
    if (text.empty())
      end_event(at + 1);
    else
      line(text);
  }
  buffer_.erase(0, event_start_);
  line_start_ -= event_start_;
  event_start_ = 0;
  if (!whole_events_ || (nothing_waits && buffer_.empty() && held_.empty() && out_.size() == bytes.size()))
    return {true, {}};
  return {false, out_};
}

std::string_view EventStream::finish() {
  // An event without its blank line is still read: some providers leave out the last one.
  if (line_start_ < buffer_.size()) line(std::string_view(buffer_).substr(line_start_));
  if (has_data_) event(data_);
  ended();
  out_ = whole_events_ ? held_ + buffer_ : std::string();
  held_.clear();
  buffer_.clear();
  line_start_ = 0;
  event_start_ = 0;
  has_data_ = false;
  return out_;
}

void EventStream::line(std::string_view text) {
  if (first_line_ && text.substr(0, 3) == "\xef\xbb\xbf") text.remove_prefix(3);
  first_line_ = false;
  if (text.substr(0, 5) != "data:") return;  // comments, event, id, retry
  text.remove_prefix(5);
  if (!text.empty() && text.front() == ' ') text.remove_prefix(1);
  if (has_data_)
    data_.push_back('\n');
  else
    data_.clear();
  data_.append(text);
  has_data_ = true;
}

void EventStream::end_event(std::size_t end) {
  const std::string_view raw(buffer_.data() + event_start_, end - event_start_);
  event_start_ = end;
  first_line_ = false;
  if (has_data_) {
    fate_ = event(data_);
    out_.append(held_);
    held_.clear();
  } else {
    // A comment (keep-alive) is no next event: it waits with what is held.
    fate_ = held_.empty() ? Fate::pass : Fate::hold;
  }
  has_data_ = false;
  if (fate_ == Fate::pass) out_.append(raw);
  if (fate_ == Fate::hold) held_.append(raw);
}

}  // namespace farthing::wire
