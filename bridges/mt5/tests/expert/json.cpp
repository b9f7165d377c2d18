// JSON for the terminal's wire: the shim's own, so that the expert's reader is not checked by itself.

#include <cstring>
#include <stdexcept>

#include "standin.hpp"

namespace standin {

namespace {

class Reader {
public:
    explicit Reader(const std::string &source) : text(source) {}

    Json document() {
        Json out = value(0);
        space();
        if(at != text.size()) fail();
        return out;
    }

private:
    const std::string &text;
    size_t at = 0;

    [[noreturn]] void fail() const { throw std::runtime_error("no JSON at byte " + std::to_string(at)); }

    void space() {
        while(at < text.size() && std::strchr(" \t\r\n", text[at]) != nullptr) at++;
    }

    char next() {
        if(at >= text.size()) fail();
        return text[at];
    }

    void expect(const std::string &word) {
        if(text.compare(at, word.size(), word) != 0) fail();
        at += word.size();
    }

    std::string characters() {
        std::string out;
        at++;
        while(next() != '"') {
            char c = text[at++];
            if(c != '\\') {
                out += c;
                continue;
            }
            c = next();
            at++;
            const char *plain = std::strchr("\"\\/bfnrt", c);
            if(plain != nullptr) out += "\"\\/\b\f\n\r\t"[plain - "\"\\/bfnrt"];
            else if(c == 'u') out += escaped();
            else fail();
        }
        at++;
        return out;
    }

    std::string escaped() {
        std::u16string units(1, unit());
        if(units[0] >= 0xD800 && units[0] < 0xDC00) {
            expect("\\u");
            units += unit();
        }
        return utf8(string(units));
    }

    char16_t unit() {
        if(at + 4 > text.size()) fail();
        char16_t out = (char16_t)std::stoul(text.substr(at, 4), nullptr, 16);
        at += 4;
        return out;
    }

    Json value(int depth) {
        Json out;
        if(depth > 32) fail();
        space();
        char c = next();
        if(c == '{' || c == '[') {
            out.kind = c == '{' ? Json::Object : Json::List;
            list(out, c == '{' ? '}' : ']', depth);
        } else if(c == '"') {
            out.kind = Json::Text;
            out.text = characters();
        } else if(c == 't' || c == 'f') {
            out.kind = Json::Truth;
            out.text = c == 't' ? "true" : "false";
            expect(out.text);
        } else if(c == 'n') {
            expect("null");
        } else {
            out.kind = Json::Number;
            size_t start = at;
            while(at < text.size() && std::strchr("+-.eE0123456789", text[at]) != nullptr) at++;
            out.text = text.substr(start, at - start);
            if(out.text.empty()) fail();
        }
        return out;
    }

    void list(Json &out, char end, int depth) {
        at++;
        space();
        if(next() == end) {
            at++;
            return;
        }
        while(true) {
            space();
            if(out.kind == Json::Object) {
                std::string key = characters();
                space();
                expect(":");
                out.members.emplace_back(key, value(depth + 1));
            } else {
                out.items.push_back(value(depth + 1));
            }
            space();
            char c = next();
            at++;
            if(c == end) return;
            if(c != ',') fail();
        }
    }
};

}  // namespace

Json parse(const std::string &text) {
    return Reader(text).document();
}

const Json *Json::member(const std::string &name) const {
    for(const auto &[key, value] : members) {
        if(key == name) return &value;
    }
    return nullptr;
}

long Json::whole(const std::string &name) const {
    const Json *found = member(name);
    if(found == nullptr || found->kind == Null) return 0;
    if(found->kind == Truth) return found->text == "true";
    if(found->text.find_first_of(".eE") != std::string::npos) critical(("no whole number: " + name).c_str());
    return std::strtol(found->text.c_str(), nullptr, 10);
}

double Json::number(const std::string &name) const {
    const Json *found = member(name);
    if(found == nullptr || found->kind == Null) return 0.0;
    return std::strtod(found->text.c_str(), nullptr);
}

std::string Json::words(const std::string &name) const {
    const Json *found = member(name);
    return found == nullptr ? "" : found->text;
}

std::string quote(const std::string &text) {
    std::string out = "\"";
    for(char c : text) {
        if(c == '"' || c == '\\') out += '\\';
        if((unsigned char)c < 32) {
            char code[8];
            std::snprintf(code, sizeof code, "\\u%04x", c);
            out += code;
        } else {
            out += c;
        }
    }
    return out + "\"";
}

// A double as the package passes it on: always with a point, never as a whole number.
std::string number(double value) {
    char out[40];
    std::snprintf(out, sizeof out, "%.17g", value);
    if(std::strpbrk(out, ".e") == nullptr) std::strcat(out, ".0");
    return out;
}

}  // namespace standin
