// Runs the expert: expert-standin --url URL [--token TOKEN] --terminal http://127.0.0.1:9020 --files DIR
//
// Or lets a test look at its parts: expert-standin --probe reads lines from standard input and
// answers each with one line.

#include <csignal>
#include <cstring>
#include <filesystem>
#include <iostream>
#include <stdexcept>

#include "standin.hpp"

#include "Ponte.mq5"

namespace {

volatile std::sig_atomic_t ended = 0;

void end(int) {
    ended = 1;
}

// A document written anew from what the expert's reader has understood.
std::string written(const PonteJson &doc, int node) {
    return utf8(doc.raw(node));
}

std::string probe_json(const std::string &line) {
    PonteJson doc;
    if(!doc.parse(from_utf8(line))) return "no";
    std::string out = "yes " + written(doc, doc.root());
    if(doc.has(0, u"text")) out += "\ttext " + utf8(quoted(doc.text(0, u"text"), 100000));
    if(doc.has(0, u"whole")) out += "\twhole " + std::to_string(doc.whole_number(0, u"whole"));
    if(doc.has(0, u"decimal")) out += "\tdecimal " + utf8(decimal(doc.number_or(0, u"decimal", 0.0)));
    if(StringLen(doc.fault) > 0) out += "\tfault " + utf8(doc.fault);
    return out;
}

std::string probe(const std::string &what, const std::string &line) {
    if(what == "json") return probe_json(line);
    if(what == "decimal") return utf8(decimal(std::strtod(line.c_str(), nullptr)));
    if(what == "quoted") return utf8(quoted(from_utf8(standin::parse(line).text)));
    if(what == "unit") return utf8(quoted(ShortToString((ushort)std::strtoul(line.c_str(), nullptr, 16))));
    if(what == "url") return url_safe(from_utf8(line)) ? "yes" : "no";
    if(what == "session") {
        long from = 0, to = 0, moment = 0;
        std::sscanf(line.c_str(), "%ld %ld %ld", &from, &to, &moment);
        return in_session(from, to, moment) ? "yes" : "no";
    }
    return "unknown probe " + what;
}

int probes() {
    std::string line;
    while(std::getline(std::cin, line)) {
        size_t space = line.find(' ');
        std::string rest = space == std::string::npos ? "" : line.substr(space + 1);
        std::cout << probe(line.substr(0, space), rest) << std::endl;
    }
    return 0;
}

// What OnTradeTransaction would have been told since the last time.
void transactions(long &after) {
    long error = 0;
    standin::Json list = standin::call("transactions", "{\"after\":" + std::to_string(after) + "}", error);
    for(const standin::Json &one : list.items) {
        after = std::max(after, one.whole("number"));
        OnTradeTransaction(MqlTradeTransaction{}, MqlTradeRequest{}, MqlTradeResult{});
    }
}

int run() {
    std::signal(SIGTERM, end);
    std::signal(SIGINT, end);
    int started = OnInit();
    if(started != INIT_SUCCEEDED) return 2;
    long after = 0;
    while(ended == 0 && standin::options().timer_ms > 0) {
        Sleep(standin::options().timer_ms);
        transactions(after);
        OnTimer();
    }
    standin::options().stopped = true;
    OnDeinit(1);
    return 0;
}

std::string without_scheme(const std::string &address) {
    size_t at = address.find("://");
    return at == std::string::npos ? address : address.substr(at + 3);
}

}  // namespace

namespace standin {

Options &options() {
    static Options all;
    return all;
}

bool disk_full() {
    return std::filesystem::exists(std::filesystem::path(options().files) / "DISK-FULL");
}

ulong milliseconds(const char *name, ulong normal) {
    const char *value = std::getenv(name);
    return value == nullptr ? normal : std::strtoul(value, nullptr, 10);
}

}  // namespace standin

void PrintLine(const char *to, const std::string &text) {
    std::cout << to << "\t" << text << std::endl;
}

int main(int count, char **words) {
    for(int i = 1; i < count; i++) {
        std::string name = words[i];
        if(name == "--probe") return probes();
        if(name == "--forbid-trading") {
            standin::options().expert_allowed = false;
            continue;
        }
        if(i + 1 >= count) standin::critical(("an option without its value: " + name).c_str());
        std::string value = words[++i];
        if(name == "--url") Url = from_utf8(value);
        else if(name == "--token") Token = from_utf8(value);
        else if(name == "--token-file") TokenFile = from_utf8(value);
        else if(name == "--lang") Lang = from_utf8(value);
        else if(name == "--poll") PollMilliseconds = std::atoi(value.c_str());
        else if(name == "--terminal") standin::options().terminal = without_scheme(value);
        else if(name == "--files") standin::options().files = value;
        else if(name == "--allow") standin::options().allowed = value;
        else standin::critical(("an unknown option: " + name).c_str());
    }
    if(standin::options().allowed.empty()) standin::options().allowed = utf8(Url);
    return run();
}
