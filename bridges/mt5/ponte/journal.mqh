// The bridge's own journal: what was begun, what was answered, which results Ponte has not seen yet.
//
// One file in MQL5/Files, a JSON object a line, only ever appended to and flushed before the order
// leaves. A line that was cut off by a crash is no JSON and is passed over: the order that it would
// have announced was never sent, since sending comes after the flush.

#define PONTE_JOURNAL_FILE "Ponte\\journal.jsonl"
#define PONTE_JOURNAL_NEW_FILE "Ponte\\journal.new"
#define PONTE_JOURNAL_LOCK_FILE "Ponte\\journal.lock"
#define PONTE_JOURNAL_DAYS 30
#define PONTE_JOURNAL_STEPS_MAX 5000
#ifndef PONTE_JOURNAL_BYTES_MAX
#define PONTE_JOURNAL_BYTES_MAX 2097152
#endif

// One request of a command, as it was begun and as it ended.
struct PonteStep {
    string session;
    long number;
    string order;
    int index;
    long begun_at;       // seconds since 1970, the machine's clock
    ulong begun_tick;    // when it was begun or came back, by this machine; of an earlier process: its start
    bool ended;          // OrderSend came back
    bool answered;       // and it brought an answer
    uint retcode;
    int error;
    ulong ticket;
    ulong deal;
    double volume;
    double price;
    string comment;
    long external;
    bool absent;         // a later look-up has found nothing of it
    bool finished;       // its command has a result
};

// What became of a command, until Ponte says that it has seen it.
struct PonteResult {
    string session;
    long number;
    string json;
};

string g_journal_name = "";
string g_journal_why = "";
PonteStep g_steps[];
PonteResult g_results[];
int g_journal_lock = INVALID_HANDLE;
int g_journal = INVALID_HANDLE;
bool g_journal_torn = false;
long g_journal_bytes = 0;
long g_journal_compacted_bytes = 0;

// What an OrderSend can mean: placed, done, done in part.
bool retcode_success(const uint retcode) {
    return retcode == TRADE_RETCODE_PLACED || retcode == TRADE_RETCODE_DONE || retcode == TRADE_RETCODE_DONE_PARTIAL;
}

// Answers after which the order may still be executed: a processing error, a time-out, a lost line.
bool retcode_open(const uint retcode) {
    return retcode == TRADE_RETCODE_ERROR || retcode == TRADE_RETCODE_TIMEOUT || retcode == TRADE_RETCODE_CONNECTION;
}

bool step_definite(const PonteStep &step) {
    return step.ended && step.answered && !retcode_open(step.retcode);
}

string step_json(const PonteStep &step) {
    string out = truth_member("answered", step.ended && step.answered);
    out += "," + whole_member("retcode", step.retcode);
    out += "," + whole_member("error", step.error);
    out += "," + whole_member("order", (long)step.ticket);
    out += "," + whole_member("deal", (long)step.deal);
    out += "," + decimal_member("volume", step.volume);
    out += "," + decimal_member("price", step.price);
    out += "," + text_member("comment", step.comment);
    out += "," + whole_member("retcode_external", step.external);
    return "{" + out + "}";
}

string step_key(const string kind, const PonteStep &step) {
    return text_member("k", kind) + "," + text_member("s", step.session) + "," + whole_member("n", step.number) + ","
           + whole_member("i", step.index) + "," + text_member("o", step.order);
}

// Appends a line. False where it may not have been written whole.
bool journal_write(const string line) {
    if(g_journal == INVALID_HANDLE) return false;
    uchar bytes[];
    string text = line + "\n";
    if(g_journal_torn) text = "\n" + text;
    int count = StringToCharArray(text, bytes, 0, WHOLE_ARRAY, CP_UTF8) - 1;
    if(count <= 0) return false;
    g_journal_torn = true;
    if(!FileSeek(g_journal, 0, SEEK_END)) return false;
    if(FileWriteArray(g_journal, bytes, 0, count) != (uint)count) return false;
    g_journal_torn = false;
    g_journal_bytes += count;
    return true;
}

// Appends a line and hands it to the disk.
bool journal_append(const string line) {
    bool good = journal_write(line);
    if(g_journal != INVALID_HANDLE) FileFlush(g_journal);
    return good;
}

string name_line() {
    return "{" + text_member("k", "name") + "," + text_member("name", g_journal_name) + "}";
}

// A name that no other journal has: 64 bits out of what differs between machines and moments.
string journal_new_name() {
    string seed = TerminalInfoString(TERMINAL_DATA_PATH) + AccountInfoString(ACCOUNT_SERVER)
                  + whole(AccountInfoInteger(ACCOUNT_LOGIN)) + whole((long)GetMicrosecondCount())
                  + whole((long)GetTickCount64()) + whole((long)TimeLocal());
    MathSrand((int)GetMicrosecondCount());
    ulong state = 0x9E3779B97F4A7C15;
    for(int i = 0; i < StringLen(seed); i++) {
        state ^= StringGetCharacter(seed, i);
        state *= 0x100000001B3;
        state ^= (ulong)MathRand() << 20;
        state ^= state >> 29;
        state *= 0xBF58476D1CE4E5B9;
        state ^= state >> 32;
    }
    string name = "";
    for(int shift = 48; shift >= 0; shift -= 16) name += hex4((ushort)(state >> shift));
    return name;
}

// Milliseconds since an earlier moment of the same clock.
ulong elapsed_since(const ulong tick) {
    ulong now = GetTickCount64();
    if(now < tick) return 0;
    return now - tick;
}

int step_find(const string session, const long number, const int index) {
    for(int i = ArraySize(g_steps) - 1; i >= 0; i--) {
        if(g_steps[i].number == number && g_steps[i].index == index && g_steps[i].session == session) return i;
    }
    return -1;
}

int step_add(const string session, const long number, const string order, const int index, const long begun_at) {
    int at = ArraySize(g_steps);
    if(ArrayResize(g_steps, at + 1, 256) < 0) return -1;
    g_steps[at].session = session;
    g_steps[at].number = number;
    g_steps[at].order = order;
    g_steps[at].index = index;
    g_steps[at].begun_at = begun_at;
    g_steps[at].begun_tick = GetTickCount64();
    g_steps[at].ended = false;
    g_steps[at].answered = false;
    g_steps[at].retcode = 0;
    g_steps[at].error = 0;
    g_steps[at].ticket = 0;
    g_steps[at].deal = 0;
    g_steps[at].volume = 0.0;
    g_steps[at].price = 0.0;
    g_steps[at].comment = "";
    g_steps[at].external = 0;
    g_steps[at].absent = false;
    g_steps[at].finished = false;
    return at;
}

void result_add(const string session, const long number, const string json) {
    int at = ArraySize(g_results);
    ArrayResize(g_results, at + 1, 64);
    g_results[at].session = session;
    g_results[at].number = number;
    g_results[at].json = json;
}

bool result_drop(const string session, const long number) {
    int count = ArraySize(g_results);
    int kept = 0;
    for(int i = 0; i < count; i++) {
        if(g_results[i].number == number && g_results[i].session == session) continue;
        if(kept < i) g_results[kept] = g_results[i];
        kept++;
    }
    ArrayResize(g_results, kept);
    return kept < count;
}

void steps_finish(const string session, const long number) {
    for(int i = ArraySize(g_steps) - 1; i >= 0; i--) {
        if(g_steps[i].number == number && g_steps[i].session == session) g_steps[i].finished = true;
    }
}

void steps_absent(const string order) {
    for(int i = ArraySize(g_steps) - 1; i >= 0; i--) {
        if(g_steps[i].order == order) g_steps[i].absent = true;
    }
}

// Writes down that a request is about to be sent. Its place in `g_steps`, or -1: then don't send.
int journal_begin(const string session, const long number, const string order, const int index, const string what) {
    int at = step_add(session, number, order, index, (long)TimeGMT());
    if(at < 0) return -1;
    string line = step_key("begun", g_steps[at]) + "," + whole_member("at", g_steps[at].begun_at) + ","
                  + text_member("what", what);
    if(journal_append("{" + line + "}")) return at;
    ArrayResize(g_steps, at);
    return -1;
}

void journal_answer(const int at) {
    g_steps[at].ended = true;
    journal_append("{" + step_key("answer", g_steps[at]) + "," + member("step", step_json(g_steps[at])) + "}");
}

// The request was not sent after all. In the journal it is one that never left the terminal.
void journal_withdraw(const int at) {
    g_steps[at].answered = true;
    journal_answer(at);
}

void journal_absent(const string order) {
    steps_absent(order);
    journal_append("{" + text_member("k", "absent") + "," + text_member("o", order) + "}");
}

string result_line(const string session, const long number, const string json) {
    return "{" + text_member("k", "result") + "," + text_member("s", session) + "," + whole_member("n", number) + ","
           + member("result", json) + "}";
}

// Keeps a result, on disk too, until Ponte has seen it.
void journal_result(const string session, const long number, const string json) {
    steps_finish(session, number);
    result_add(session, number, json);
    journal_append(result_line(session, number, json));
}

void journal_seen(const string session, const long number) {
    if(!result_drop(session, number)) return;
    journal_append("{" + text_member("k", "seen") + "," + text_member("s", session) + "," + whole_member("n", number)
                   + "}");
}

// Whether a request of this order may have been executed, and no later look-up has found it absent.
bool journal_knows(const string order) {
    for(int i = ArraySize(g_steps) - 1; i >= 0; i--) {
        if(g_steps[i].order != order || g_steps[i].absent) continue;
        if(!step_definite(g_steps[i]) || retcode_success(g_steps[i].retcode)) return true;
    }
    return false;
}

string result_json(const string session, const long number, const string order, const string outcome,
                   const string steps, const string found, const string why) {
    string out = text_member("session", session) + "," + whole_member("number", number) + ","
                 + text_member("order", order) + "," + text_member("outcome", outcome);
    if(steps != "") out += "," + member("steps", "[" + steps + "]");
    if(found != "") out += "," + member("found", found);
    if(why != "") out += "," + member("why", quoted(why, 1024));
    return "{" + out + "}";
}

void journal_read_step(PonteJson &line, const int at, const int node) {
    if(at < 0 || node < 0) return;
    g_steps[at].ended = true;
    g_steps[at].answered = line.truth_or(node, "answered", false);
    g_steps[at].retcode = (uint)line.whole_or(node, "retcode", 0);
    g_steps[at].error = (int)line.whole_or(node, "error", 0);
    g_steps[at].ticket = (ulong)line.whole_or(node, "order", 0);
    g_steps[at].deal = (ulong)line.whole_or(node, "deal", 0);
    g_steps[at].volume = line.number_or(node, "volume", 0.0);
    g_steps[at].price = line.number_or(node, "price", 0.0);
    g_steps[at].comment = line.text_or(node, "comment", "");
    g_steps[at].external = line.whole_or(node, "retcode_external", 0);
}

// Takes one line of the file into memory; false where it is none.
bool journal_read_line(const string text) {
    PonteJson line;
    if(!line.parse(text)) return false;
    string kind = line.text(0, "k");
    string session = line.text_or(0, "s", "");
    long number = line.whole_or(0, "n", 0);
    int index = (int)line.whole_or(0, "i", 0);
    string order = line.text_or(0, "o", "");
    if(line.fault != "") return false;
    if(kind == "name") {
        g_journal_name = line.text(0, "name");
    } else if(kind == "begun") {
        step_add(session, number, order, index, line.whole_or(0, "at", 0));
    } else if(kind == "answer") {
        journal_read_step(line, step_find(session, number, index), line.find(0, "step"));
    } else if(kind == "step") {
        int at = step_add(session, number, order, index, line.whole_or(0, "at", 0));
        if(at < 0) return false;
        if(line.truth_or(0, "ended", false)) journal_read_step(line, at, line.find(0, "step"));
        g_steps[at].absent = line.truth_or(0, "absent", false);
        g_steps[at].finished = line.truth_or(0, "finished", false);
    } else if(kind == "result") {
        steps_finish(session, number);
        result_add(session, number, line.raw(line.find(0, "result")));
    } else if(kind == "seen") {
        result_drop(session, number);
    } else if(kind == "absent") {
        steps_absent(order);
    }
    return true;
}

// Reads the open file. False where it can't be read.
bool journal_read() {
    int size = (int)FileSize(g_journal);
    g_journal_bytes = size;
    g_journal_torn = false;
    if(size == 0) return true;
    uchar bytes[];
    if(ArrayResize(bytes, size) != size || !FileSeek(g_journal, 0, SEEK_SET)) return false;
    if(FileReadArray(g_journal, bytes, 0, size) != (uint)size) return false;
    int start = 0;
    for(int i = 0; i < size; i++) {
        if(bytes[i] != '\n') continue;
        if(i > start && !journal_read_line(CharArrayToString(bytes, start, i - start, CP_UTF8))) {
            Print("ponte: a line of the journal is damaged and passed over, at byte ", start);
        }
        start = i + 1;
    }
    g_journal_torn = start < size;
    return true;
}

// A command of an earlier process that was begun and has no result is told as what it is: a step
// without an answer stays open, and only a look-up may close it.
void journal_interrupted() {
    for(int i = 0; i < ArraySize(g_steps); i++) {
        if(g_steps[i].finished) continue;
        string session = g_steps[i].session;
        long number = g_steps[i].number;
        string steps = "";
        bool open = false;
        for(int k = i; k < ArraySize(g_steps); k++) {
            if(g_steps[k].number != number || g_steps[k].session != session) continue;
            steps = joined(steps, step_json(g_steps[k]));
            if(!g_steps[k].ended || !g_steps[k].answered) open = true;
        }
        string why = "the expert was stopped while the command was carried out";
        string outcome = open ? "interrupted" : "answered";
        journal_result(session, number, result_json(session, number, g_steps[i].order, outcome, steps, "", why));
    }
}

// Forgets steps that are over and old, or too many.
void steps_prune() {
    int count = ArraySize(g_steps);
    long oldest = (long)TimeGMT() - PONTE_JOURNAL_DAYS * 86400;
    int kept = 0;
    for(int i = 0; i < count; i++) {
        bool old = g_steps[i].begun_at < oldest || count - i > PONTE_JOURNAL_STEPS_MAX;
        if(old && g_steps[i].finished) continue;
        if(kept < i) g_steps[kept] = g_steps[i];
        kept++;
    }
    ArrayResize(g_steps, kept);
}

string step_line(const PonteStep &step) {
    return "{" + step_key("step", step) + "," + whole_member("at", step.begun_at) + ","
           + truth_member("ended", step.ended) + "," + truth_member("absent", step.absent) + ","
           + truth_member("finished", step.finished) + "," + member("step", step_json(step)) + "}";
}

// Writes everything that is in memory into the file that is open; false where that failed.
bool journal_write_all() {
    bool good = journal_write(name_line());
    for(int i = 0; i < ArraySize(g_steps) && good; i++) good = journal_write(step_line(g_steps[i]));
    for(int i = 0; i < ArraySize(g_results) && good; i++) {
        good = journal_write(result_line(g_results[i].session, g_results[i].number, g_results[i].json));
    }
    FileFlush(g_journal);
    return good;
}

int journal_open_file(const string name, const int flags) {
    return FileOpen(name, flags | FILE_BIN);
}

// Writes the journal anew without what is over, beside the old one, and puts it in its place. Where
// anything fails the old one stays; what was begun is never forgotten by it.
bool journal_compact() {
    steps_prune();
    FileClose(g_journal);
    g_journal_torn = false;
    g_journal_bytes = 0;
    g_journal = journal_open_file(PONTE_JOURNAL_NEW_FILE, FILE_WRITE);
    bool good = g_journal != INVALID_HANDLE && journal_write_all();
    if(g_journal != INVALID_HANDLE) FileClose(g_journal);
    if(good) good = FileMove(PONTE_JOURNAL_NEW_FILE, 0, PONTE_JOURNAL_FILE, FILE_REWRITE);
    g_journal = journal_open_file(PONTE_JOURNAL_FILE, FILE_READ | FILE_WRITE);
    if(g_journal == INVALID_HANDLE) return false;
    // The old file may end in a line that was cut off.
    g_journal_torn = !good;
    g_journal_bytes = (long)FileSize(g_journal);
    g_journal_compacted_bytes = g_journal_bytes;
    if(!good) Print("ponte: the journal could not be written anew, error ", GetLastError());
    return true;
}

// Writes the journal anew once the file has grown to twice what the last time has left.
void journal_tend() {
    if(g_journal == INVALID_HANDLE) return;
    if(g_journal_bytes < PONTE_JOURNAL_BYTES_MAX || g_journal_bytes < 2 * g_journal_compacted_bytes) return;
    journal_compact();
}

void journal_close() {
    if(g_journal != INVALID_HANDLE) FileClose(g_journal);
    if(g_journal_lock != INVALID_HANDLE) FileClose(g_journal_lock);
    g_journal = INVALID_HANDLE;
    g_journal_lock = INVALID_HANDLE;
}

// A new file is whole once the old one is gone, and worth nothing before.
void journal_rescue() {
    if(FileIsExist(PONTE_JOURNAL_FILE)) {
        if(FileIsExist(PONTE_JOURNAL_NEW_FILE)) FileDelete(PONTE_JOURNAL_NEW_FILE);
        return;
    }
    if(FileIsExist(PONTE_JOURNAL_NEW_FILE)) {
        FileMove(PONTE_JOURNAL_NEW_FILE, 0, PONTE_JOURNAL_FILE, FILE_REWRITE);
    }
}

// Opens and reads the journal, alone: a second expert in the same terminal can't. False with the
// reason in `g_journal_why`.
bool journal_open() {
    journal_close();
    ArrayResize(g_steps, 0);
    ArrayResize(g_results, 0);
    g_journal_name = "";
    ResetLastError();
    g_journal_lock = journal_open_file(PONTE_JOURNAL_LOCK_FILE, FILE_READ | FILE_WRITE);
    if(g_journal_lock == INVALID_HANDLE) {
        g_journal_why = "another Ponte expert runs in this terminal, error " + whole(GetLastError());
        return false;
    }
    journal_rescue();
    g_journal = journal_open_file(PONTE_JOURNAL_FILE, FILE_READ | FILE_WRITE);
    bool good = g_journal != INVALID_HANDLE && journal_read();
    if(good && g_journal_name == "") {
        g_journal_name = journal_new_name();
        good = journal_append(name_line());
    }
    if(good) {
        journal_interrupted();
        good = journal_compact();
    }
    if(!good) {
        g_journal_why = "the journal MQL5\\Files\\" + PONTE_JOURNAL_FILE + " can't be read or written, error "
                        + whole(GetLastError());
        journal_close();
    }
    return good;
}
