// One HTTP/1.1 request over a plain socket to loopback.

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <chrono>
#include <cstring>

#include "standin.hpp"

namespace standin {

namespace {

using Clock = std::chrono::steady_clock;

class Socket {
public:
    explicit Socket(int file) : descriptor(file) {}
    ~Socket() {
        if(descriptor >= 0) ::close(descriptor);
    }
    Socket(const Socket &) = delete;
    Socket &operator=(const Socket &) = delete;
    int descriptor;
};

// Waits until there is something to read; false when the time is over.
bool readable(int descriptor, Clock::time_point until) {
    while(true) {
        auto left = std::chrono::duration_cast<std::chrono::milliseconds>(until - Clock::now()).count();
        if(left <= 0) return false;
        pollfd wait{descriptor, POLLIN, 0};
        int ready = ::poll(&wait, 1, (int)left);
        if(ready > 0) return true;
        if(ready < 0 && errno != EINTR) return false;
    }
}

std::string lower(std::string text) {
    for(char &c : text) c = (char)std::tolower((unsigned char)c);
    return text;
}

// The value of a header, "" where there is none.
std::string header(const std::string &headers, const std::string &name) {
    size_t at = lower(headers).find("\r\n" + name + ":");
    if(at == std::string::npos) return "";
    size_t start = headers.find(':', at + 2) + 1;
    size_t end = headers.find("\r\n", start);
    std::string value = headers.substr(start, end - start);
    return value.substr(value.find_first_not_of(' ') == std::string::npos ? 0 : value.find_first_not_of(' '));
}

// Takes a chunked body apart; false while it is not complete.
bool unchunk(const std::string &raw, std::string &body) {
    size_t at = 0;
    body.clear();
    while(true) {
        size_t end = raw.find("\r\n", at);
        if(end == std::string::npos) return false;
        size_t size = std::strtoul(raw.c_str() + at, nullptr, 16);
        if(size == 0) return true;
        if(end + 2 + size + 2 > raw.size()) return false;
        body += raw.substr(end + 2, size);
        at = end + 2 + size + 2;
    }
}

// Whether the answer is complete; `closed` says that nothing more can come.
bool complete(const std::string &raw, bool closed, Answer &answer) {
    size_t end = raw.find("\r\n\r\n");
    if(end == std::string::npos) return false;
    std::string headers = raw.substr(0, end + 2);
    std::string rest = raw.substr(end + 4);
    std::string length = header(headers, "content-length");
    bool whole = closed;
    answer.body = rest;
    if(lower(header(headers, "transfer-encoding")) == "chunked") whole = unchunk(rest, answer.body);
    else if(!length.empty()) whole = rest.size() >= std::strtoul(length.c_str(), nullptr, 10);
    if(!whole) return false;
    answer.headers = headers;
    answer.status = std::atoi(raw.c_str() + raw.find(' '));
    return true;
}

bool send_all(int descriptor, const std::string &bytes) {
    size_t done = 0;
    while(done < bytes.size()) {
        ssize_t sent = ::send(descriptor, bytes.data() + done, bytes.size() - done, MSG_NOSIGNAL);
        if(sent <= 0) return false;
        done += (size_t)sent;
    }
    return true;
}

}  // namespace

Answer post(const std::string &host, int port, const std::string &path, const std::string &headers,
            const std::string &body, int timeout_ms) {
    Answer answer;
    auto until = Clock::now() + std::chrono::milliseconds(timeout_ms);
    Socket line(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons((uint16_t)port);
    std::string numeric = host == "localhost" ? "127.0.0.1" : host;
    if(::inet_pton(AF_INET, numeric.c_str(), &address.sin_addr) != 1) return answer;
    if(::connect(line.descriptor, (sockaddr *)&address, sizeof address) != 0) return answer;
    answer.connected = true;
    int yes = 1;
    ::setsockopt(line.descriptor, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
    std::string request = "POST " + path + " HTTP/1.1\r\nHost: " + host + ":" + std::to_string(port) + "\r\n" + headers
                          + "Content-Length: " + std::to_string(body.size()) + "\r\nConnection: close\r\n\r\n" + body;
    // Who refuses a request may answer and close before it was read to the end.
    send_all(line.descriptor, request);
    std::string raw;
    char piece[65536];
    while(readable(line.descriptor, until)) {
        ssize_t got = ::recv(line.descriptor, piece, sizeof piece, 0);
        if(got > 0) raw.append(piece, (size_t)got);
        if(complete(raw, got <= 0, answer) || got <= 0) return answer;
    }
    answer.timed_out = true;
    return answer;
}

}  // namespace standin
