// What stands behind the shim: the stand-in terminal's wire, JSON, a socket.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "mql5.hpp"

namespace standin {

struct Options {
    std::string terminal = "127.0.0.1:9020";
    std::string files = ".";
    std::string allowed;          // the address that WebRequest may reach
    bool expert_allowed = true;   // the expert's own box "Allow Algo Trading"
    int timer_ms = 0;
    bool stopped = false;
};

Options &options();

// Whether the file `DISK-FULL` lies in the folder for files.
bool disk_full();

// A JSON value. Numbers keep their characters, so that 64 bits stay 64 bits.
struct Json {
    enum Kind { Null, Truth, Number, Text, List, Object } kind = Null;
    std::string text;
    std::vector<Json> items;
    std::vector<std::pair<std::string, Json>> members;

    const Json *member(const std::string &name) const;
    long whole(const std::string &name) const;
    double number(const std::string &name) const;
    std::string words(const std::string &name) const;
};

// Throws std::runtime_error where the text is no JSON.
Json parse(const std::string &text);
std::string quote(const std::string &text);
std::string number(double value);

struct Answer {
    int status = -1;
    std::string headers;
    std::string body;
    bool timed_out = false;
    bool connected = false;
};

Answer post(const std::string &host, int port, const std::string &path, const std::string &headers,
            const std::string &body, int timeout_ms);

// Calls a function of the stand-in terminal. `error` is the package's last error; a cut line is
// -10002.
Json call(const std::string &function, const std::string &arguments, long &error);

// Forgets what was read a moment ago.
void forget();

}  // namespace standin
