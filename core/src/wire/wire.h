// Wire: what a request asks and what an answer says, read from raw bytes in one scan, never kept.
//
//   Route route = recognise("POST", "api.openai.com", "/v1/chat/completions", hosts);
//   RequestFacts facts = *route.dialect->scan(body);
//   std::string sent = rewrite(body, facts, {.output_limit = 1200, .ask_for_usage = true, ...});
//   AnswerFacts answer = route.dialect->read(response_body);
//   auto stream = route.dialect->stream(...); stream->feed(bytes)
//
// Each dialect is a folder (openai_chat/, ...) and a row of the table in dialects.cpp; hosts are data (hosts.cpp).
// Nothing here knows prices, caps or HTTP clients. Prompts are only counted (promise 11).
// Thread-safety: dialects are immutable; a StreamReader belongs to one thread at a time.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "farthing/endpoint.h"
#include "farthing/host.h"
#include "farthing/meter.h"
#include "farthing/money.h"
#include "farthing/result.h"
#include "media/media.h"

namespace farthing {

struct Dialect;

/// What is known of a host: built in, or `[[host]]` of a policy over it (R31).
struct HostFacts {
  std::string_view provider;  // "" = unknown: refused
  bool free = false;
  bool guard = true;
  bool usage_in_streams = false;     // takes stream_options.include_usage
  bool usage_unasked = false;        // sends usage in streams by itself
  bool stops_on_disconnect = false;  // R24
  bool release_unknown = false;      // R23
  bool ends_unmarked = false;        // its streams of chat may end after their finish reason without a marker
  std::string_view
      account_region;         // where a request that says no region may be processed all the same, "" nowhere dearer
  bool reports_cost = false;  // what it charged stands in its usage, and is what it bills
  std::string_view
      output_limit_name;  // for chat: what this host understands when no limit was given; "" = the model decides
  bool reads_max_tokens = false;  // for chat, and ignores max_completion_tokens
  std::string_view region;        // where its prices differ by it: "eu"
  const std::map<std::string, std::string>* deployments = nullptr;
};

/// Hosts compiled from the built-in table and a policy's rules; suffix and glob rules included. Immutable.
class HostTable {
 public:
  explicit HostTable(std::vector<HostRule> rules);
  /// `host` as in the URL, with the port where it is not the scheme's own ("localhost:11434").
  HostFacts find(std::string_view host) const;
  /// Known by the table or a rule; `install` guards only such hosts and dialect paths (R31).
  bool known(std::string_view host) const;

 private:
  std::vector<HostRule> rules_;
};

/// Where a provider is at home: "api.groq.com"; "" for one without a host of its own, or with one for each customer.
std::string_view home_of(std::string_view provider);

/// The endpoints that a policy describes (`[[endpoint]]`), as dialects. Immutable; a copy shares them.
class EndpointTable {
 public:
  EndpointTable();
  explicit EndpointTable(const std::vector<EndpointRule>& rules);
  /// Of several the first as written; null: none.
  const Dialect* find(std::string_view host, std::string_view path) const;
  const Dialect* of(std::string_view name) const;
  std::vector<std::string_view> names() const;

 private:
  struct Row;
  std::vector<std::shared_ptr<const Row>> rows_;
};

/// Where a request goes.
struct Route {
  enum class Kind : std::uint8_t {
    priced,   // a dialect reads it
    poll,     // asks for a job of a dialect, cancels or deletes it (R17): free, and its answer is read
    free,     // a GET, a models list, token counting, cancels, moderation ...: passes untouched
    unknown,  // a POST that no dialect knows
  } kind = Kind::unknown;
  const Dialect* dialect = nullptr;
  HostFacts host;
  std::string path_model;  // what the path names: Azure's deployment, Gemini's model; "" where the body does
  std::string job_id;      // a job that the path names: the polled one, the one that is made over
  bool deletes = false;    // a poll: nobody can ask for the job afterwards
  bool results = false;    // a poll: its answer is what came out, a JSON line for each request of a batch
  bool uploads = false;    // free, and may bring the requests of a batch: scan_batch_file reads them
};
/// What a policy describes goes before what is built in.
Route recognise(std::string_view method, std::string_view host, std::string_view path, const HostTable& hosts,
                const EndpointTable& endpoints = EndpointTable());

/// A place in the body's bytes.
struct Span {
  std::size_t at = 0;
  std::size_t length = 0;
};

/// An object inside the body that a member can be written into.
struct ObjectPlace {
  std::optional<std::size_t> open;  // just after its '{'
  std::optional<Span> null;         // its value where it is null
  bool empty = false;
};

/// What of its input a request lets the provider write into a cache, which can cost more than plain input.
enum class CacheWrites : std::uint8_t {
  unknown,     // the provider decides
  none,        // the request asks for none
  short_only,  // for some minutes
  long_lived,  // for an hour too
};

/// What is billed by the piece, as far as a request says it: images, videos, speech, transcriptions.
struct Pieces {
  std::int64_t images = 0;                // to be made
  std::int64_t partial_images = 0;        // to be streamed before each of them
  std::string size, quality, resolution;  // as asked; "" and "auto": the provider decides. Of a container: its memory
  std::int64_t input_images = 0;          // that go in
  std::int64_t input_squares = 0;         // of them all: how many squares of its shorter side cover each
  bool input_unread = false;              // the size of one of them is not known
  bool input_closely = false;             // they are asked to be kept to closely
  std::int64_t videos = 0;                // to be made
  std::optional<std::int64_t> video_ms;   // of one of them; nothing: not known
  std::string video_of;                   // the id of the video that is made over, which says what is not said here
  std::int64_t characters = 0;            // to be spoken, in Unicode code points
  bool slow = false;                      // spoken slower than usual
  bool audio = false;                     // audio goes in
  std::optional<std::int64_t> audio_ms;   // its length at most, in whole seconds; nothing: not known
  std::string_view endless;               // what nothing in the request bounds; "" where all is bounded
};

struct RequestFacts {
  std::string model;  // as asked; "" when absent
  bool stream = false;
  std::optional<bool> usage_asked;           // stream_options.include_usage as the caller wrote it
  std::optional<std::int64_t> output_limit;  // the caller's; the largest where a body has several
  std::string_view output_limit_name;        // as written in the body, "" when absent
  std::optional<Span> max_tokens;            // of chat: its value, null too
  bool limits_max_tokens = false;            // that is a number
  std::int64_t choices = 1;
  /// Bytes that bound the text tokens of the input from above: the body without base64 media.
  std::int64_t input_bytes = 0;
  std::int64_t inputs = 1;  // embeddings, completions: how many, each with a context window of its own
  bool media = false;       // images, audio, files inline: bytes are no bound
  bool remote = false;      // URLs, file ids, previous_response_id, conversations, prompt ids: unseen input
  /// What of both can be bounded: media whose size was read, and images, of which a model takes so many tokens at most.
  std::vector<MediaInput> media_inputs;
  bool media_other = false;                       // media beside them: files, what is not readable
  bool remote_other = false;                      // unseen input beside images
  bool media_resolution = false;                  // Gemini: the request says how closely to look
  bool spoken_output = false;                     // speech is asked for: output tokens at a rate of their own
  bool painted_output = false;                    // images are, of `pieces.size`
  bool unknown = false;                           // a part that nobody looked at: bytes are no bound
  bool other_models = false;                      // a list of models, of which the host may take another one
  bool elsewhere = false;                         // something at the host runs first, of which no answer tells the cost
  std::string_view endless;                       // what runs there as often as it likes; "": nothing
  bool server_tools = false;                      // web search, file search, code interpreter, mcp, ...
  std::optional<std::int64_t> server_tool_steps;  // max_tool_calls; the sum of max_uses
  /// Those of them that have a fee, by what it is for: 1 where one is offered, of containers as many as may be made. `tool_calls`: another one than has a name here.
  Quantities fees;
  bool search_options = false;  // chat: how the web is to be searched, if the model does
  std::string search_context;   // of it: how much, as asked
  bool prediction = false;      // chat: with it no limit of ours is accepted
  bool tools = false;
  std::int64_t tool_tokens = 0;  // of definitions that the provider writes for the tools that the request names
  bool schema = false;           // a response format with a schema
  bool background = false;
  std::int64_t thinking_budget = 0;  // output limit must stay above it
  std::string service_tier;          // as asked, "" when absent
  std::string region;                // where it asks to be processed, "" when absent
  std::string reasoning_effort;
  CacheWrites cache_writes = CacheWrites::unknown;
  Pieces pieces;
  /// Tools and schemas, as they stand in the body: what the requests of one program have in common.
  std::vector<Span> tool_set;
  std::optional<Quantities> asked;  // what an endpoint that the policy describes is asked for
  std::string unsaid;               // of it: what neither the request nor the policy says
  /// Of a batch: its requests, all of one dialect and one model, or the file on the host that they stand in.
  std::vector<RequestFacts> batch;
  const Dialect* batch_of = nullptr;  // what reads each of them
  std::string batch_file;
  // where to write
  std::vector<Span> output_limit_spans;    // the numbers to replace
  std::string_view output_limit_parent;    // the member that a limit stands in, "" = the body itself
  ObjectPlace output_limit_place;          // that member
  std::optional<Span> include_usage_span;  // the literal true/false/null to replace
  ObjectPlace stream_options;
  std::size_t object_open = 0;  // just after the body's '{'
  bool object_empty = false;
};

struct Rewrite {
  std::optional<std::int64_t> output_limit;  // write this limit ...
  std::string_view output_limit_name;        // ... under this name where the body has none
  bool max_tokens_too = false;               // ... and as max_tokens, which is all that the host reads
  bool ask_for_usage = false;
};
/// The body with splices applied: never parsed and dumped, all other bytes stay as they were.
std::string rewrite(std::string_view body, const RequestFacts& facts, const Rewrite& change);

/// What an answer says of work that goes on after it (R17).
enum class JobState : std::uint8_t {
  none,
  pending,
  done,       // with usage, or made as asked
  failed,     // nothing was made
  cancelled,  // what was made until then is not told, if there is no usage
};

/// What an answer says. Missing is not zero: `quantities` is empty when there was no readable usage.
struct AnswerFacts {
  std::string id;                        // chatcmpl-..., resp_..., video_...
  std::string model;                     // served
  std::string service_tier;              // served
  std::string region;                    // where it was processed, "" when not told
  std::string finish_reason;             // the last one
  std::optional<Quantities> quantities;  // disjoint
  std::vector<ModelUse> others;          // what of them other models used, each at its own rates
  std::optional<Usd> reported_cost;      // in its usage; believed of hosts that bill it (HostFacts::reports_cost)
  bool final = false;                    // with the dialect's terminal marker, or a whole body
  bool speech_told = false;              // its usage tells speech apart from text, if only as 0
  bool images_told = false;              // ... images
  std::int64_t requests_told = 0;        // of a batch: how many requests it tells the end of, 0 = it does not
  bool told_at_finish = false;           // a stream: its last event with content or usage had a finish reason and usage
  bool ended = false;                    // a stream's terminal marker of a job, with usage or without
  bool done = false;                     // a whole answer of a dialect that need not tell usage
  bool error = false;                    // the dialect's own error body or event
  JobState job = JobState::none;
  std::string size;            // of a video as made
  std::string search_context;  // how much was searched
  std::string error_code;      // code, else type
  std::string error_message;   // never logged; only its presence matters to the core
};

/// Reads a stream: server-sent events split anywhere, fed as decoded bytes.
class StreamReader {
 public:
  virtual ~StreamReader() = default;
  /// What the caller may see now. `same` says that it is exactly `bytes` (no copy made); else `held_back` has it.
  struct Delivery {
    bool same = true;
    std::string_view bytes;  // valid until the next call when not `same`
  };
  virtual Delivery feed(std::string_view bytes) = 0;
  /// The stream ended: bytes held back so far.
  virtual std::string_view finish() = 0;
  virtual const AnswerFacts& facts() const = 0;
  /// An upper bound of the output tokens seen so far (bytes of content), R24.
  virtual std::int64_t output_seen() const = 0;
};

/// Calls whose work goes on after their answer (R17): data with source and date, dialects.cpp.
struct JobKind {
  std::string_view name;  // "video", "response", "batch"
  std::string_view path;  // where a job is asked for, its id follows: "/videos/"
  std::int64_t lives_ms;  // how long its hold waits for a poll
  bool always = true;     // false: only where a request asks for it (RequestFacts::background)
  std::string_view results =
      {};  // of a batch: what follows its id where its results are asked for; "": they are a file
};

struct Dialect {
  std::string_view endpoint;   // "chat.completions", "messages": the word in labels, ledger and `estimate`
  std::string_view modality;   // "text", "embedding"
  std::string_view operation;  // "generate"
  bool has_output = true;      // false: embeddings
  /// Paths it answers to, after a prefix such as "/v1" or "/openai/deployments/NAME" ("/chat/completions"); of several the
  /// longest. `*` stands for the id of a job.
  std::string_view path;
  Result<RequestFacts> (*scan)(std::string_view body) = nullptr;
  AnswerFacts (*read)(std::string_view body) = nullptr;
  /// `strip_usage`: we asked for the usage chunk, the caller must not see it.
  std::unique_ptr<StreamReader> (*stream)(bool strip_usage) = nullptr;
  bool running_totals = false;  // of its streams: every chunk tells them, and none marks the end
  /// The name of the output limit to insert where the caller gave none.
  std::string_view output_limit_name = {};
  std::int64_t output_limit_minimum = 1;  // what the provider accepts at least (responses: 16)
  bool takes_usage_option = false;        // stream_options.include_usage, where the host takes it
  /// What OpenAI and Azure write at most where the request gives no limit; 0 = as much as the model can.
  std::int64_t output_default = 0;
  /// Hidden prompts (overheads.cpp) of models that the price book does not know.
  std::string_view overhead = {};
  std::string_view cut_word = "length";  // the finish reason of an answer that its output limit ended
  bool pieces = false;                   // billed by RequestFacts::pieces: no output limit can be written into it
  bool tells_parts = false;              // a batch whose answer tells all that costs, not only tokens
  bool tells_tools = true;               // its answers say how often tools with fees were used
  bool binary = false;                   // a success is bytes, not JSON: nothing of it is read
  const JobKind* job = nullptr;          // its calls may be jobs
  bool batch = false;                    // many requests in one: sized and priced as their sum (R17)
  /// A line of a batch's results: `job` is done where it is billed, failed where it is not, none where it cannot be read.
  AnswerFacts (*read_result)(std::string_view line) = nullptr;
  const EndpointRule* rule = nullptr;  // described by a policy: read at the places that it names
  /// What is known of the host that it is asked on.
  HostFacts host_facts(std::string_view host, const HostTable& hosts) const;

  Result<RequestFacts> scan_request(std::string_view body) const;
  AnswerFacts read_answer(std::string_view body, const RequestFacts& request) const;
};

/// A form that brings the requests of a batch, as OpenAI's files do; nothing: it is none. The error says what in it
/// cannot be read.
std::optional<Result<RequestFacts>> scan_batch_file(std::string_view body);
/// The id that the host gave to a file; "": there is none.
std::string read_file_id(std::string_view body);
/// The largest file with requests of a batch that a host takes, in bytes.
inline constexpr std::int64_t max_batch_file = 200LL << 20U;

/// The table of dialects, for tests, docs and `estimate`.
const std::vector<const Dialect*>& dialects();
const Dialect* dialect_of(std::string_view endpoint);

/// Hidden prompts: tokens that a provider adds to the input by itself, an upper bound by overhead profile of the book
/// and by what the request has (tools, schema). Data with source and date: overheads.cpp.
std::int64_t hidden_tokens_bound(std::string_view overhead_profile, const RequestFacts& facts);

/// What a model does by itself with every call, by the same profile: data with source and date, own_searches.cpp.
struct OwnSearches {
  std::int64_t billed = 0;  // how many searches a call is billed for beside its tokens
  bool fee = false;         // the price of a request covers them, so there has to be one
  bool unseen = false;      // what they find is billed as input, as much of it as there is
  bool endless = false;     // it searches as often as it likes
};
/// Nothing: of itself it searches nothing.
std::optional<OwnSearches> own_searches(std::string_view overhead_profile);

/// The most output tokens that the images or the speech of a request take, and input tokens of its images, by the book's name of the model; what the request
/// leaves to the provider counts as the most that it can be. Nothing: not known. Data with source and date: piece_tokens.cpp.
std::optional<std::int64_t> image_tokens_bound(std::string_view model, const Pieces& asked);
std::optional<std::int64_t> input_image_tokens_bound(std::string_view model, const Pieces& asked);
std::optional<std::int64_t> speech_tokens_bound(std::string_view model, const Pieces& asked);
/// Text that gpt-image-1.5 writes beside each image: 209 tokens (OpenAI's forum, topic 1369511, 2026-01), 335 and 439 (litellm's
/// issue 21902 and pull request 19515, 2026); at most twice the most that was seen.
struct TextBesideImage {
  std::int64_t likely = 335;
  std::int64_t most = 2 * 439;
};
inline constexpr TextBesideImage text_beside_image;
/// Output tokens of an image that a model of chat or Gemini paints, which are beside those of its text: as published for the size that
/// the request names, "" = the usual one; of other models the most of all. Data with source and date: piece_tokens.cpp.
struct PaintedTokens {
  std::int64_t likely = 0;
  std::int64_t most = 0;  // whatever its size
};
PaintedTokens painted_tokens(std::string_view model, std::string_view size);
/// The most input tokens of that much audio.
std::int64_t audio_tokens_bound(std::int64_t audio_ms);
/// What a provider bills at least for audio that goes in.
std::int64_t least_audio_ms(std::string_view provider);
/// What a request for videos leaves to its provider: model, length and size, as far as the provider says what it takes then.
/// Data with source and date: video_defaults.cpp.
void fill_video_defaults(std::string_view provider, RequestFacts& facts);
/// The resolution that a size such as "1280x720" is: "720p"; "" where it is none.
std::string resolution_of(std::string_view size);

}  // namespace farthing
