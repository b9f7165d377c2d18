// Numbers and texts as the protocol writes them: decimals without exponent, JSON in plain ASCII.

// A double as the protocol's decimal: at most eight decimals and fifteen digits, for a double has no
// more. What is no number, and what the terminal calls "no limit" (1e15 and above), is "0".
string decimal(const double value) {
    if(!MathIsValidNumber(value) || MathAbs(value) >= 1e15) return "0";
    int digits = 8;
    double size = MathAbs(value);
    while(size >= 1e7 && digits > 0) {
        size /= 10.0;
        digits--;
    }
    string text = DoubleToString(value, digits);
    if(digits > 0) {
        int end = StringLen(text);
        while(StringGetCharacter(text, end - 1) == '0') end--;
        if(StringGetCharacter(text, end - 1) == '.') end--;
        text = StringSubstr(text, 0, end);
    }
    if(text == "-0") return "0";
    return text;
}

string whole(const long value) {
    return IntegerToString(value);
}

string truth(const bool value) {
    if(value) return "true";
    return "false";
}

string hex4(const ushort value) {
    string digits = "0123456789abcdef";
    string text = "";
    for(int shift = 12; shift >= 0; shift -= 4) {
        text += StringSubstr(digits, (value >> shift) & 15, 1);
    }
    return text;
}

bool is_high_surrogate(const ushort unit) {
    return unit >= 0xD800 && unit < 0xDC00;
}

bool is_low_surrogate(const ushort unit) {
    return unit >= 0xDC00 && unit < 0xE000;
}

// A text as a JSON string, with everything beyond ASCII escaped, cut at `limit` bytes of UTF-8: that is
// how Ponte counts. Half of a surrogate pair would make the whole request unreadable, so it is U+FFFD.
string quoted(const string text, const int limit = 256) {
    string out = "\"";
    int length = StringLen(text);
    int bytes = 0;
    for(int i = 0; i < length; i++) {
        ushort unit = StringGetCharacter(text, i);
        bool pair = is_high_surrogate(unit) && i + 1 < length && is_low_surrogate(StringGetCharacter(text, i + 1));
        bytes += unit < 0x80 ? 1 : (unit < 0x800 ? 2 : (pair ? 4 : 3));
        if(bytes > limit) break;
        if(unit == '\"' || unit == '\\') {
            out += "\\" + ShortToString(unit);
        } else if(unit >= 32 && unit < 127) {
            out += ShortToString(unit);
        } else if(pair) {
            out += "\\u" + hex4(unit) + "\\u" + hex4(StringGetCharacter(text, i + 1));
            i++;
        } else if(is_high_surrogate(unit) || is_low_surrogate(unit)) {
            out += "\\ufffd";
        } else {
            out += "\\u" + hex4(unit);
        }
    }
    return out + "\"";
}

// `"name":value`, the value being JSON already.
string member(const string name, const string json) {
    return "\"" + name + "\":" + json;
}

string text_member(const string name, const string text) {
    return member(name, quoted(text));
}

string whole_member(const string name, const long value) {
    return member(name, whole(value));
}

string decimal_member(const string name, const double value) {
    return member(name, "\"" + decimal(value) + "\"");
}

string truth_member(const string name, const bool value) {
    return member(name, truth(value));
}

// What follows after a comma if there is something already.
string joined(const string list, const string item) {
    if(list == "") return item;
    if(item == "") return list;
    return list + "," + item;
}

bool starts_with(const string text, const string start) {
    return StringFind(text, start) == 0;
}
