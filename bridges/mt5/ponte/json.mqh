// A small JSON reader: strict, bounded, and exact in whole numbers (a magic number has 63 bits, a
// double holds 53).

#define PONTE_JSON_LENGTH_MAX 1048576
#define PONTE_JSON_NODES_MAX 50000
#define PONTE_JSON_DEPTH_MAX 16

enum PonteJsonKind {
    PONTE_JSON_NULL,
    PONTE_JSON_TRUTH,
    PONTE_JSON_NUMBER,
    PONTE_JSON_TEXT,
    PONTE_JSON_LIST,
    PONTE_JSON_OBJECT
};

struct PonteJsonNode {
    PonteJsonKind kind;
    string key;
    string value;  // the characters of a text, the literal of a number, "true" or "false"
    int start;
    int end;
    int child;
    int sibling;
};

// One document. Nodes are numbers; -1 is no node. What is missing or of the wrong kind is noted in
// `fault`, so that a caller reads everything first and asks once.
class PonteJson {
public:
    string fault;

    bool parse(const string document);
    int root() const;
    int find(const int node, const string key) const;
    bool has(const int node, const string key) const;
    int child(const int node) const;
    int sibling(const int node) const;
    string raw(const int node) const;
    string text_of(const int node) const;
    string text(const int node, const string key);
    string text_or(const int node, const string key, const string fallback);
    long whole_number(const int node, const string key);
    long whole_or(const int node, const string key, const long fallback);
    bool truth_or(const int node, const string key, const bool fallback);
    double number_or(const int node, const string key, const double fallback);
    int list(const int node, const string key);

private:
    string m_source;
    int m_length;
    int m_at;
    int m_count;
    PonteJsonNode m_nodes[];

    ushort unit(const int at) const;
    void skip_space();
    bool word(const string expected);
    int add(const PonteJsonKind kind);
    int value(const int depth);
    bool members(const int node, const int depth);
    bool items(const int node, const int depth);
    bool number(string &out);
    bool digits();
    bool characters(string &out);
    bool escape(string &out);
    bool code_unit(ushort &out);
    void blame(const string key);
};

// The unit at a place; 0 beyond the end.
ushort PonteJson::unit(const int at) const {
    if(at >= m_length) return 0;
    return StringGetCharacter(m_source, at);
}

int PonteJson::root() const {
    return 0;
}

bool PonteJson::parse(const string document) {
    fault = "";
    m_source = document;
    m_length = StringLen(document);
    m_at = 0;
    m_count = 0;
    ArrayResize(m_nodes, 0);
    if(m_length > PONTE_JSON_LENGTH_MAX) return false;
    if(value(0) < 0) return false;
    skip_space();
    return m_at == m_length;
}

void PonteJson::skip_space() {
    while(unit(m_at) == ' ' || unit(m_at) == '\n' || unit(m_at) == '\r' || unit(m_at) == '\t') m_at++;
}

bool PonteJson::word(const string expected) {
    int length = StringLen(expected);
    if(m_at + length > m_length || StringSubstr(m_source, m_at, length) != expected) return false;
    m_at += length;
    return true;
}

int PonteJson::add(const PonteJsonKind kind) {
    if(m_count >= PONTE_JSON_NODES_MAX) return -1;
    if(m_count >= ArraySize(m_nodes)) {
        if(ArrayResize(m_nodes, m_count + 64, 4096) < 0) return -1;
    }
    m_nodes[m_count].kind = kind;
    m_nodes[m_count].key = "";
    m_nodes[m_count].value = "";
    m_nodes[m_count].start = m_at;
    m_nodes[m_count].end = m_at;
    m_nodes[m_count].child = -1;
    m_nodes[m_count].sibling = -1;
    m_count++;
    return m_count - 1;
}

// Reads one value and gives its node, or -1.
int PonteJson::value(const int depth) {
    if(depth > PONTE_JSON_DEPTH_MAX) return -1;
    skip_space();
    ushort first = unit(m_at);
    int node = -1;
    bool good = true;
    string read = "";
    if(first == '{') {
        node = add(PONTE_JSON_OBJECT);
        if(node >= 0) good = members(node, depth);
    } else if(first == '[') {
        node = add(PONTE_JSON_LIST);
        if(node >= 0) good = items(node, depth);
    } else if(first == '\"') {
        node = add(PONTE_JSON_TEXT);
        good = characters(read);
    } else if(first == 't' || first == 'f') {
        node = add(PONTE_JSON_TRUTH);
        read = first == 't' ? "true" : "false";
        good = word(read);
    } else if(first == 'n') {
        node = add(PONTE_JSON_NULL);
        good = word("null");
    } else {
        node = add(PONTE_JSON_NUMBER);
        good = number(read);
    }
    if(node < 0 || !good) return -1;
    m_nodes[node].value = read;
    m_nodes[node].end = m_at;
    return node;
}

bool PonteJson::members(const int node, const int depth) {
    int last = -1;
    m_at++;
    skip_space();
    if(unit(m_at) == '}') {
        m_at++;
        return true;
    }
    while(true) {
        skip_space();
        string key = "";
        if(unit(m_at) != '\"' || !characters(key)) return false;
        skip_space();
        if(unit(m_at) != ':') return false;
        m_at++;
        int entry = value(depth + 1);
        if(entry < 0) return false;
        m_nodes[entry].key = key;
        if(last < 0) m_nodes[node].child = entry;
        else m_nodes[last].sibling = entry;
        last = entry;
        skip_space();
        ushort next = unit(m_at);
        m_at++;
        if(next == '}') return true;
        if(next != ',') return false;
    }
    return false;
}

bool PonteJson::items(const int node, const int depth) {
    int last = -1;
    m_at++;
    skip_space();
    if(unit(m_at) == ']') {
        m_at++;
        return true;
    }
    while(true) {
        int entry = value(depth + 1);
        if(entry < 0) return false;
        if(last < 0) m_nodes[node].child = entry;
        else m_nodes[last].sibling = entry;
        last = entry;
        skip_space();
        ushort next = unit(m_at);
        m_at++;
        if(next == ']') return true;
        if(next != ',') return false;
    }
    return false;
}

bool PonteJson::digits() {
    int start = m_at;
    while(unit(m_at) >= '0' && unit(m_at) <= '9') m_at++;
    return m_at > start;
}

bool PonteJson::number(string &out) {
    int start = m_at;
    if(unit(m_at) == '-') m_at++;
    bool zero = unit(m_at) == '0';
    int before = m_at;
    if(!digits() || (zero && m_at > before + 1)) return false;
    if(unit(m_at) == '.') {
        m_at++;
        if(!digits()) return false;
    }
    if(unit(m_at) == 'e' || unit(m_at) == 'E') {
        m_at++;
        if(unit(m_at) == '+' || unit(m_at) == '-') m_at++;
        if(!digits()) return false;
    }
    out = StringSubstr(m_source, start, m_at - start);
    return true;
}

bool PonteJson::characters(string &out) {
    m_at++;
    int plain = m_at;
    while(m_at < m_length) {
        ushort next = unit(m_at);
        if(next < 32) return false;
        if(next == '\"' || next == '\\') {
            if(m_at > plain) out += StringSubstr(m_source, plain, m_at - plain);
            m_at++;
            if(next == '\"') return true;
            if(!escape(out)) return false;
            plain = m_at;
        } else {
            m_at++;
        }
    }
    return false;
}

bool PonteJson::escape(string &out) {
    ushort next = unit(m_at);
    m_at++;
    if(next == 'u') {
        ushort high = 0;
        ushort low = 0;
        if(!code_unit(high) || high == 0 || is_low_surrogate(high)) return false;
        out += ShortToString(high);
        if(!is_high_surrogate(high)) return true;
        if(!word("\\u") || !code_unit(low) || !is_low_surrogate(low)) return false;
        out += ShortToString(low);
        return true;
    }
    if(next == '\"' || next == '\\' || next == '/') out += ShortToString(next);
    else if(next == 'n') out += "\n";
    else if(next == 't') out += "\t";
    else if(next == 'r') out += "\r";
    else if(next == 'b') out += ShortToString(8);
    else if(next == 'f') out += ShortToString(12);
    else return false;
    return true;
}

bool PonteJson::code_unit(ushort &out) {
    int read = 0;
    for(int i = 0; i < 4; i++) {
        ushort next = unit(m_at);
        m_at++;
        if(next >= '0' && next <= '9') read = read * 16 + (next - '0');
        else if(next >= 'a' && next <= 'f') read = read * 16 + (next - 'a' + 10);
        else if(next >= 'A' && next <= 'F') read = read * 16 + (next - 'A' + 10);
        else return false;
    }
    out = (ushort)read;
    return true;
}

void PonteJson::blame(const string key) {
    if(fault == "") fault = key;
}

int PonteJson::child(const int node) const {
    if(node < 0) return -1;
    return m_nodes[node].child;
}

int PonteJson::sibling(const int node) const {
    if(node < 0) return -1;
    return m_nodes[node].sibling;
}

// The member of an object with this key, or -1.
int PonteJson::find(const int node, const string key) const {
    if(node < 0 || m_nodes[node].kind != PONTE_JSON_OBJECT) return -1;
    for(int entry = m_nodes[node].child; entry >= 0; entry = m_nodes[entry].sibling) {
        if(m_nodes[entry].key == key) return entry;
    }
    return -1;
}

// Whether there is such a member and it is not null.
bool PonteJson::has(const int node, const string key) const {
    int entry = find(node, key);
    return entry >= 0 && m_nodes[entry].kind != PONTE_JSON_NULL;
}

// The text of the document that a node was read from.
string PonteJson::raw(const int node) const {
    if(node < 0) return "";
    return StringSubstr(m_source, m_nodes[node].start, m_nodes[node].end - m_nodes[node].start);
}

// The characters of a text that is an item of a list; nothing where it is none.
string PonteJson::text_of(const int node) const {
    if(node < 0 || m_nodes[node].kind != PONTE_JSON_TEXT) return "";
    return m_nodes[node].value;
}

string PonteJson::text(const int node, const string key) {
    int entry = find(node, key);
    if(entry >= 0 && m_nodes[entry].kind == PONTE_JSON_TEXT) return m_nodes[entry].value;
    blame(key);
    return "";
}

string PonteJson::text_or(const int node, const string key, const string fallback) {
    if(!has(node, key)) return fallback;
    return text(node, key);
}

// A whole number, digit by digit: nothing goes through a double, and what doesn't fit is a fault.
long PonteJson::whole_number(const int node, const string key) {
    int entry = find(node, key);
    if(entry < 0 || m_nodes[entry].kind != PONTE_JSON_NUMBER) {
        blame(key);
        return 0;
    }
    string literal = m_nodes[entry].value;
    int length = StringLen(literal);
    bool negative = StringGetCharacter(literal, 0) == '-';
    long total = 0;
    for(int i = negative ? 1 : 0; i < length; i++) {
        ushort next = StringGetCharacter(literal, i);
        long digit = next - '0';
        if(next < '0' || next > '9' || total > (9223372036854775807 - digit) / 10) {
            blame(key);
            return 0;
        }
        total = total * 10 + digit;
    }
    return negative ? -total : total;
}

long PonteJson::whole_or(const int node, const string key, const long fallback) {
    if(!has(node, key)) return fallback;
    return whole_number(node, key);
}

bool PonteJson::truth_or(const int node, const string key, const bool fallback) {
    int entry = find(node, key);
    if(entry < 0 || m_nodes[entry].kind == PONTE_JSON_NULL) return fallback;
    if(m_nodes[entry].kind != PONTE_JSON_TRUTH) {
        blame(key);
        return fallback;
    }
    return m_nodes[entry].value == "true";
}

// A decimal: a text of digits with at most one point.
double PonteJson::number_or(const int node, const string key, const double fallback) {
    if(!has(node, key)) return fallback;
    string literal = text(node, key);
    int length = StringLen(literal);
    int points = 0;
    int digits_seen = 0;
    for(int i = 0; i < length; i++) {
        ushort next = StringGetCharacter(literal, i);
        if(next == '.') points++;
        else if(next >= '0' && next <= '9') digits_seen++;
        else if(next != '-' || i > 0) points = 2;
    }
    if(points > 1 || digits_seen == 0) {
        blame(key);
        return fallback;
    }
    return StringToDouble(literal);
}

// A list; -1 and a fault where it is none.
int PonteJson::list(const int node, const string key) {
    int entry = find(node, key);
    if(entry >= 0 && m_nodes[entry].kind == PONTE_JSON_LIST) return entry;
    blame(key);
    return -1;
}
