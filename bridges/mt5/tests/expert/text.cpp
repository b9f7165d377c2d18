// MQL5's strings and numbers.

#include <cmath>

#include "mql5.hpp"

namespace {

bool is_blank(char16_t unit) {
    return unit == ' ' || unit == '\t' || unit == '\r' || unit == '\n';
}

void append_utf8(std::string &out, unsigned long point) {
    if(point < 0x80) {
        out += (char)point;
    } else if(point < 0x800) {
        out += (char)(0xC0 | (point >> 6));
        out += (char)(0x80 | (point & 0x3F));
    } else if(point < 0x10000) {
        out += (char)(0xE0 | (point >> 12));
        out += (char)(0x80 | ((point >> 6) & 0x3F));
        out += (char)(0x80 | (point & 0x3F));
    } else {
        out += (char)(0xF0 | (point >> 18));
        out += (char)(0x80 | ((point >> 12) & 0x3F));
        out += (char)(0x80 | ((point >> 6) & 0x3F));
        out += (char)(0x80 | (point & 0x3F));
    }
}

}  // namespace

std::string utf8(const string &text) {
    std::string out;
    for(size_t i = 0; i < text.units.size(); i++) {
        unsigned long unit = text.units[i];
        bool pair = unit >= 0xD800 && unit < 0xDC00 && i + 1 < text.units.size();
        if(pair && text.units[i + 1] >= 0xDC00 && text.units[i + 1] < 0xE000) {
            unit = 0x10000 + ((unit - 0xD800) << 10) + (text.units[++i] - 0xDC00UL);
        } else if(unit >= 0xD800 && unit < 0xE000) {
            unit = 0xFFFD;
        }
        append_utf8(out, unit);
    }
    return out;
}

string from_utf8(const std::string &text) {
    std::u16string out;
    for(size_t i = 0; i < text.size();) {
        unsigned char lead = (unsigned char)text[i];
        int more = lead < 0x80 ? 0 : lead >= 0xF0 ? 3 : lead >= 0xE0 ? 2 : lead >= 0xC2 ? 1 : -1;
        unsigned long point = more <= 0 ? lead : lead & (0x3FUL >> more);
        bool good = more >= 0 && i + (size_t)more < text.size();
        for(int k = 1; good && k <= more; k++) {
            unsigned char next = (unsigned char)text[i + (size_t)k];
            good = (next & 0xC0) == 0x80;
            point = (point << 6) | (next & 0x3FUL);
        }
        if(!good) {
            out += (char16_t)0xFFFD;
            i++;
            continue;
        }
        i += (size_t)more + 1;
        if(point >= 0x10000) {
            out += (char16_t)(0xD800 + ((point - 0x10000) >> 10));
            out += (char16_t)(0xDC00 + ((point - 0x10000) & 0x3FF));
        } else {
            out += (char16_t)point;
        }
    }
    return string(out);
}

int StringLen(const string &text) {
    return (int)text.units.size();
}

string StringSubstr(const string &text, int start, int length) {
    // The reference gives no meaning to a length of 0, and terminals have taken it for "all".
    if(length == 0 || length < -1) standin::critical("StringSubstr with a length of 0");
    if(start < 0 || start > StringLen(text)) standin::critical("StringSubstr beyond the string");
    return string(text.units.substr((size_t)start, length < 0 ? std::u16string::npos : (size_t)length));
}

int StringFind(const string &text, const string &match, int start) {
    size_t at = text.units.find(match.units, (size_t)start);
    return at == std::u16string::npos ? -1 : (int)at;
}

ushort StringGetCharacter(const string &text, int position) {
    if(position < 0 || position >= StringLen(text)) standin::critical("StringGetCharacter beyond the string");
    return text.units[(size_t)position];
}

int StringTrimLeft(string &text) {
    size_t count = 0;
    while(count < text.units.size() && is_blank(text.units[count])) count++;
    text.units.erase(0, count);
    return (int)count;
}

int StringTrimRight(string &text) {
    int count = 0;
    while(!text.units.empty() && is_blank(text.units.back())) {
        text.units.pop_back();
        count++;
    }
    return count;
}

string ShortToString(ushort unit) {
    return string(std::u16string(1, (char16_t)unit));
}

string IntegerToString(long number) {
    return from_utf8(std::to_string(number));
}

string DoubleToString(double value, int digits) {
    if(digits < 0 || digits > 16) standin::critical("DoubleToString with other than 0 to 16 digits");
    char out[400];
    std::snprintf(out, sizeof out, "%.*f", digits, value);
    return from_utf8(out);
}

double StringToDouble(const string &text) {
    return std::strtod(utf8(text).c_str(), nullptr);
}

// As in MQL5 the terminating zero is copied and counted.
int StringToBytes(const string &text, std::string &bytes, int start, int count, uint codepage) {
    bool as_used = codepage == (uint)CP_UTF8 && start == 0 && count == -1;
    if(!as_used) standin::critical("StringToCharArray of other than a whole string in UTF-8");
    bytes = utf8(text) + '\0';
    return (int)bytes.size();
}

string BytesToString(const std::string &bytes, uint codepage) {
    if(codepage != (uint)CP_UTF8) standin::critical("CharArrayToString in another code page");
    return from_utf8(bytes.substr(0, bytes.find('\0')));
}

double MathAbs(double value) {
    return std::fabs(value);
}

bool MathIsValidNumber(double value) {
    return std::isfinite(value);
}

int MathRand() {
    return std::rand() & 32767;
}

void MathSrand(int seed) {
    std::srand((unsigned)seed);
}
