// What a fetch takes and refuses, against a server on loopback that says what it is told to. With TLS, compression and
// through proxies: tests/cli/test_prices_url.py.
#include <arpa/inet.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cstdlib>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "farthing/http.h"

namespace farthing {
namespace {

using std::chrono::milliseconds;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

/// Answers one connection after another with the next text; `hold` keeps it open until the client gives up.
class Server {
 public:
  struct Turn {
    std::string answer;
    bool hold = false;
  };

  explicit Server(std::vector<Turn> turns) : listening_(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    auto* general = reinterpret_cast<sockaddr*>(&address);
    EXPECT_EQ(bind(listening_, general, size), 0);
    EXPECT_EQ(listen(listening_, 16), 0);
    EXPECT_EQ(getsockname(listening_, general, &size), 0);
    port_ = ntohs(address.sin_port);
    thread_ = std::thread([this, turns = std::move(turns)] {
      for (const Turn& turn : turns)
        if (!serve(turn)) return;
    });
  }
  ~Server() { end(); }
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

  std::string url(const std::string& path = "/book", const std::string& scheme = "http") const {
    return scheme + "://127.0.0.1:" + std::to_string(port_) + path;
  }

  /// What clients sent, once nobody is served any more.
  const std::vector<std::string>& requests() {
    end();
    return requests_;
  }

 private:
  int listening_;
  std::uint16_t port_ = 0;
  std::vector<std::string> requests_;
  std::thread thread_;

  bool serve(const Turn& turn) {
    const int client = accept(listening_, nullptr, nullptr);
    if (client < 0) return false;  // end()
    std::string request;
    std::array<char, 4096> buffer{};
    const auto read_more = [&] {
      const ssize_t length = recv(client, buffer.data(), buffer.size(), 0);
      if (length > 0) request.append(buffer.data(), static_cast<std::size_t>(length));
      return length > 0;
    };
    while (request.find("\r\n\r\n") == std::string::npos && read_more()) {
    }
    send(client, turn.answer.data(), turn.answer.size(), MSG_NOSIGNAL);
    while (turn.hold && read_more()) {
    }
    close(client);
    requests_.push_back(std::move(request));
    return true;
  }

  void end() {
    if (!thread_.joinable()) return;
    shutdown(listening_, SHUT_RDWR);
    thread_.join();
    close(listening_);
  }
};

std::string answer(const std::string& status, const std::string& body, const std::string& header = "") {
  return "HTTP/1.1 " + status + "\r\nContent-Length: " + std::to_string(body.size()) + "\r\n" + header + "\r\n" + body;
}

std::string redirect(const std::string& where) {
  return answer("302 Found", "elsewhere", "Location: " + where + "\r\n");
}

/// The message of a fetch that must fail so.
std::string refused(const std::string& url, Code code = Code::fetch_failed, const FetchLimits& limits = {}) {
  const auto found = fetch(url, limits);
  if (found) return "was fetched: " + *found;
  EXPECT_EQ(code_text(found.error().code), code_text(code)) << found.error().message;
  return found.error().message;
}

TEST(Fetch, GivesTheBytesAndSaysWhoAsks) {
  Server server({{answer("200 OK", std::string("a\0b\n", 4))}});
  const auto found = fetch(server.url("/prices/book.txt?of=today"));
  ASSERT_TRUE(found) << found.error().message;
  EXPECT_EQ(*found, std::string("a\0b\n", 4));
  ASSERT_EQ(server.requests().size(), 1U);
  EXPECT_THAT(server.requests()[0], StartsWith("GET /prices/book.txt?of=today HTTP/1.1\r\n"));
  EXPECT_THAT(server.requests()[0], HasSubstr("\r\nUser-Agent: farthing/"));
}

TEST(Fetch, TakesAnEmptyBody) {
  Server server({{answer("200 OK", "")}});
  const auto found = fetch(server.url());
  ASSERT_TRUE(found) << found.error().message;
  EXPECT_EQ(*found, "");
}

TEST(Fetch, FollowsFiveRedirectsAndNoMore) {
  const auto redirects = [](std::size_t count) {
    std::vector<Server::Turn> turns(count, {redirect("/next")});
    turns.push_back({answer("200 OK", "there")});
    return turns;
  };
  Server few(redirects(5));
  const auto found = fetch(few.url());
  ASSERT_TRUE(found) << found.error().message;
  EXPECT_EQ(*found, "there");
  EXPECT_THAT(few.requests()[1], StartsWith("GET /next "));
  Server many(redirects(6));
  EXPECT_THAT(refused(many.url()), HasSubstr("more than 5 redirects"));
  EXPECT_EQ(many.requests().size(), 6U);
}

TEST(Fetch, ARedirectIsHeldToTheSameRules) {
  for (const std::string where : {"http://example.test/book", "ftp://127.0.0.1/book", "file:///etc/hostname"}) {
    Server server({{redirect(where)}});
    const std::string said = refused(server.url());
    EXPECT_THAT(said, HasSubstr(where + " is not fetched; accepted: https://"));
    EXPECT_THAT(said, StartsWith(server.url()));
  }
  Server server({{redirect("https://user:secret@127.0.0.1/book")}});
  const std::string said = refused(server.url());
  EXPECT_THAT(said, HasSubstr("a user or a password"));
  EXPECT_THAT(said, Not(HasSubstr("secret")));
}

TEST(Fetch, AStatusOtherThan200IsAnErrorThatNamesIt) {
  for (const std::string status : {"404 Not Found", "500 Oops", "203 Changed", "206 Part", "302 Nowhere", "401 Who"}) {
    Server server({{answer(status, "an error page")}});
    EXPECT_THAT(refused(server.url("/a?key=secret")),
                testing::AllOf(HasSubstr("/a?...: HTTP status " + status.substr(0, 3)), Not(HasSubstr("secret"))));
  }
}

TEST(Fetch, WhatIsTooLargeEndsWhileItArrives) {
  const FetchLimits ten{.most_bytes = 10};
  Server fits({{answer("200 OK", "0123456789")}});
  const auto found = fetch(fits.url(), ten);
  ASSERT_TRUE(found) << found.error().message;
  // Neither of them ever ends: who waited for the end would meet the time limit.
  const std::string chunk = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nb\r\n01234567890\r\n";
  const std::string announced = "HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n01234567890";
  for (const std::string& endless : {chunk, announced}) {
    Server server({{endless, true}});
    EXPECT_THAT(refused(server.url(), Code::fetch_failed, ten), HasSubstr("larger than 10 bytes"));
  }
}

TEST(Fetch, WhatIsCutOffIsNoBook) {
  for (const std::string cut :
       {"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n0123456789",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\na\r\n0123456789\r\n", "", "no HTTP at all\r\n\r\n"}) {
    Server server({{cut}});
    EXPECT_THAT(refused(server.url()), StartsWith(server.url() + ": ")) << cut;
  }
}

TEST(Fetch, AServerThatStallsMeetsTheLimitOfTheWhole) {
  const FetchLimits soon{.whole = milliseconds(200)};
  for (const std::string stalled : {"", "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n0123456789"}) {
    Server server({{stalled, true}});
    EXPECT_THAT(refused(server.url(), Code::fetch_failed, soon), HasSubstr("timed out after"));
  }
}

TEST(Fetch, AConnectionThatIsNeverAgreedOnMeetsItsOwnLimit) {
  Server server({{"", true}});  // accepts, and never says a word of TLS
  const FetchLimits soon{.connect = milliseconds(200), .whole = std::chrono::hours(1)};
  EXPECT_THAT(refused(server.url("/book", "https"), Code::fetch_failed, soon), HasSubstr("time"));
}

TEST(Fetch, OnlyHttpsOrThisMachine) {
  for (const std::string url : {"http://example.test/book", "http://10.0.0.1/book", "http://127.example.test/book",
                                "http://localhost.example.test/", "http://[::2]/", "ftp://127.0.0.1/book",
                                "file:///etc/hostname", "sftp://example.test/book"}) {
    EXPECT_THAT(refused(url, Code::invalid_argument), HasSubstr(url + " is not fetched; accepted: https://")) << url;
  }
  // Allowed, and nobody is there.
  for (const std::string url : {"http://127.0.0.1:1/", "HTTP://127.255.0.3:1/", "http://LocalHost:1/",
                                "http://[::1]:1/", "https://127.0.0.1:1/"}) {
    EXPECT_THAT(refused(url), StartsWith(url)) << url;
  }
}

TEST(Fetch, WhatMayBeSecretInAUrlIsNeverShown) {
  for (const std::string url : {"https://user:secret@127.0.0.1:1/book", "https://secret@127.0.0.1:1/book",
                                "http://127.0.0.1:1@secret.test/book", "ftp://user:secret@example.test/book"}) {
    const std::string said = refused(url, Code::invalid_argument);
    EXPECT_THAT(said, HasSubstr("a user or a password")) << url;
    EXPECT_THAT(said, Not(HasSubstr("secret")));
  }
  for (const std::string url : {"", "secret", "https://", "https://host/sec ret", "https://host:secret/"}) {
    const std::string said = refused(url, Code::invalid_argument);
    EXPECT_THAT(said, HasSubstr("cannot be read; accepted: https://host/path")) << url;
    EXPECT_THAT(said, Not(HasSubstr("sec"))) << url;
  }
  EXPECT_THAT(refused("http://127.0.0.1:1/book?signature=secret#secret"), StartsWith("http://127.0.0.1:1/book?...: "));
}

TEST(ShownUrl, LacksUserAndQuery) {
  EXPECT_EQ(shown_url("https://host/path"), "https://host/path");
  EXPECT_EQ(shown_url("https://u:p@host:8/path@1?q#f"), "https://host:8/path@1?...");
  EXPECT_EQ(shown_url("https://u@p@host#f"), "https://host?...");
  EXPECT_EQ(shown_url("https://host?q=a@b"), "https://host?...");
  EXPECT_EQ(shown_url(""), "");
}

/// Whoever runs the tests may have a proxy; none of these requests is for it.
class NoProxy : public testing::Environment {
  void SetUp() override { setenv("no_proxy", "*", 1); }
};
const auto* const no_proxy = testing::AddGlobalTestEnvironment(new NoProxy);

}  // namespace
}  // namespace farthing
