// The part of MQL5 that the expert uses, as C++: types, strings, arrays, structures, functions.
//
// Stricter than MetaTrader where it can be: what would be a runtime error of the expert ("array out
// of range"), and what the reference leaves undefined, ends the program with a message.
#pragma once

#include <cstdio>
#include <cstdlib>
#include <string>
#include <utility>
#include <vector>

// MQL5's names, which are the C library's macros.
#undef SEEK_SET
#undef SEEK_END

#include "mql5_constants.hpp"

typedef unsigned char uchar;
typedef unsigned short ushort;
typedef unsigned int uint;
typedef unsigned long ulong;
typedef long datetime;
static_assert(sizeof(long) == 8 && sizeof(int) == 4, "MQL5's long has 64 bits, its int 32");

#define input
#define PONTE_SETTLE_MS standin::milliseconds("PONTE_SETTLE_MS", 30000)
#define PONTE_SYNCHRONISED_MS standin::milliseconds("PONTE_SYNCHRONISED_MS", 60000)
#define PONTE_SCAN_GAP_MS standin::milliseconds("PONTE_SCAN_GAP_MS", 2000)
#define PONTE_FACTS_WAIT_MS standin::milliseconds("PONTE_FACTS_WAIT_MS", 2000)
#define PONTE_WAIT_PERCENT standin::milliseconds("PONTE_WAIT_PERCENT", 100)
#define PONTE_JOURNAL_BYTES_MAX (long)standin::milliseconds("PONTE_JOURNAL_BYTES_MAX", 2097152)

namespace standin {

// A number from the environment, so that tests need not wait as long as a trader must.
ulong milliseconds(const char *name, ulong normal);

[[noreturn]] inline void critical(const char *what) {
    std::fprintf(stderr, "critical error of the expert: %s\n", what);
    std::abort();
}

}  // namespace standin

// MQL5's string: UTF-16 units. One that was never assigned is NULL, which is not equal to "".
class string {
public:
    std::u16string units;
    bool is_null = true;

    string() {}
    string(const char16_t *text) : units(text), is_null(false) {}
    explicit string(std::u16string text) : units(std::move(text)), is_null(false) {}
    string &operator+=(const string &other) {
        units += other.units;
        is_null = false;
        return *this;
    }
    friend string operator+(const string &left, const string &right) { return string(left.units + right.units); }
    friend bool operator==(const string &left, const string &right) {
        return left.units == right.units && left.is_null == right.is_null;
    }
    friend bool operator!=(const string &left, const string &right) { return !(left == right); }
};

std::string utf8(const string &text);
string from_utf8(const std::string &text);

// A dynamic array. MQL5 stops a program that reaches beyond one.
template <class T>
class array {
public:
    std::vector<T> items;

    T &operator[](long index) {
        check(index);
        return items[(size_t)index];
    }
    const T &operator[](long index) const {
        check(index);
        return items[(size_t)index];
    }

private:
    void check(long index) const {
        if(index < 0 || (size_t)index >= items.size()) standin::critical("array out of range");
    }
};

template <class T>
int ArraySize(const array<T> &list) {
    return (int)list.items.size();
}

template <class T>
int ArrayResize(array<T> &list, int new_size, int reserve_size = 0) {
    if(new_size < 0 || reserve_size < 0) standin::critical("invalid size of an array");
    if((size_t)new_size > list.items.capacity()) list.items.reserve((size_t)new_size + (size_t)reserve_size);
    list.items.resize((size_t)new_size);
    return new_size;
}

enum ENUM_ORDER_TYPE : int {};
enum ENUM_ORDER_TYPE_FILLING : int {};
enum ENUM_ORDER_TYPE_TIME : int {};
enum ENUM_DAY_OF_WEEK : int {};
enum ENUM_TRADE_TRANSACTION_TYPE : int {};

struct MqlDateTime {
    int year, mon, day, hour, min, sec, day_of_week, day_of_year;
};

struct MqlTick {
    datetime time;
    double bid, ask, last;
    ulong volume;
    long time_msc;
    uint flags;
    double volume_real;
};

struct MqlTradeRequest {
    ENUM_TRADE_REQUEST_ACTIONS action;
    ulong magic;
    ulong order;
    string symbol;
    double volume, price, stoplimit, sl, tp;
    ulong deviation;
    ENUM_ORDER_TYPE type;
    ENUM_ORDER_TYPE_FILLING type_filling;
    ENUM_ORDER_TYPE_TIME type_time;
    datetime expiration;
    string comment;
    ulong position, position_by;
};

struct MqlTradeResult {
    uint retcode;
    ulong deal, order;
    double volume, price, bid, ask;
    string comment;
    uint request_id;
    int retcode_external;
};

struct MqlTradeTransaction {
    ulong deal, order;
    string symbol;
    ENUM_TRADE_TRANSACTION_TYPE type;
    ulong position, position_by;
};

// Texts and numbers.
int StringLen(const string &text);
string StringSubstr(const string &text, int start, int length = -1);
int StringFind(const string &text, const string &match, int start = 0);
ushort StringGetCharacter(const string &text, int position);
int StringTrimLeft(string &text);
int StringTrimRight(string &text);
string ShortToString(ushort unit);
string IntegerToString(long number);
string DoubleToString(double value, int digits = 8);
double StringToDouble(const string &text);
int StringToBytes(const string &text, std::string &bytes, int start, int count, uint codepage);
string BytesToString(const std::string &bytes, uint codepage);
double MathAbs(double value);
bool MathIsValidNumber(double value);
int MathRand();
void MathSrand(int seed);

template <class T>
int StringToCharArray(const string &text, array<T> &bytes, int start = 0, int count = -1, uint codepage = 0) {
    std::string raw;
    int copied = StringToBytes(text, raw, start, count, codepage);
    bytes.items.assign(raw.begin(), raw.end());
    return copied;
}

template <class T>
string CharArrayToString(const array<T> &bytes, int start = 0, int count = -1, uint codepage = 0) {
    long size = ArraySize(bytes);
    long end = count < 0 ? size : start + count;
    if(start < 0 || end > size) standin::critical("array out of range");
    return BytesToString(std::string(bytes.items.begin() + start, bytes.items.begin() + end), codepage);
}

// The program and its surroundings.
int GetLastError();
void ResetLastError();
void SetLastError(int error);
bool IsStopped();
void Sleep(int milliseconds);
ulong GetTickCount64();
ulong GetMicrosecondCount();
datetime TimeGMT();
datetime TimeLocal();
datetime TimeCurrent();
datetime TimeTradeServer();
bool TimeToStruct(datetime moment, MqlDateTime &parts);
bool EventSetMillisecondTimer(int milliseconds);
void EventKillTimer();
int MQLInfoInteger(ENUM_MQL_INFO_INTEGER property);
int TerminalInfoInteger(ENUM_TERMINAL_INFO_INTEGER property);
string TerminalInfoString(ENUM_TERMINAL_INFO_STRING property);
int WebRequest(const string &method, const string &url, const string &headers, int timeout, const array<char> &data,
               array<char> &result, string &result_headers);
void PrintLine(const char *to, const std::string &text);

inline std::string printed(const string &value) { return utf8(value); }
inline std::string printed(int value) { return std::to_string(value); }
inline std::string printed(long value) { return std::to_string(value); }

template <class... Values>
void Print(const Values &...values) {
    PrintLine("log", (printed(values) + ...));
}

template <class... Values>
void Comment(const Values &...values) {
    PrintLine("chart", (printed(values) + ...));
}

// Files.
int FileOpen(const string &name, int flags);
void FileClose(int file);
void FileFlush(int file);
bool FileSeek(int file, long offset, ENUM_FILE_POSITION origin);
ulong FileSize(int file);
bool FileIsExist(const string &name, int common = 0);
bool FileDelete(const string &name, int common = 0);
bool FileMove(const string &from, int common, const string &to, int mode);
uint FileReadArray(int file, array<uchar> &bytes, int start = 0, int count = WHOLE_ARRAY);
uint FileWriteArray(int file, const array<uchar> &bytes, int start = 0, int count = WHOLE_ARRAY);

// The terminal.
long AccountInfoInteger(ENUM_ACCOUNT_INFO_INTEGER property);
double AccountInfoDouble(ENUM_ACCOUNT_INFO_DOUBLE property);
string AccountInfoString(ENUM_ACCOUNT_INFO_STRING property);
int SymbolsTotal(bool selected);
string SymbolName(int position, bool selected);
bool SymbolSelect(const string &name, bool select);
long SymbolInfoInteger(const string &name, ENUM_SYMBOL_INFO_INTEGER property);
double SymbolInfoDouble(const string &name, ENUM_SYMBOL_INFO_DOUBLE property);
string SymbolInfoString(const string &name, ENUM_SYMBOL_INFO_STRING property);
bool SymbolInfoTick(const string &name, MqlTick &tick);
bool SymbolInfoSessionTrade(const string &name, ENUM_DAY_OF_WEEK day, uint index, datetime &from, datetime &to);
int PositionsTotal();
ulong PositionGetTicket(int index);
long PositionGetInteger(ENUM_POSITION_PROPERTY_INTEGER property);
double PositionGetDouble(ENUM_POSITION_PROPERTY_DOUBLE property);
string PositionGetString(ENUM_POSITION_PROPERTY_STRING property);
int OrdersTotal();
ulong OrderGetTicket(int index);
bool OrderSelect(ulong ticket);
long OrderGetInteger(ENUM_ORDER_PROPERTY_INTEGER property);
double OrderGetDouble(ENUM_ORDER_PROPERTY_DOUBLE property);
string OrderGetString(ENUM_ORDER_PROPERTY_STRING property);
bool HistorySelect(datetime from, datetime to);
bool HistoryOrderSelect(ulong ticket);
bool HistoryDealSelect(ulong ticket);
int HistoryOrdersTotal();
ulong HistoryOrderGetTicket(int index);
long HistoryOrderGetInteger(ulong ticket, ENUM_ORDER_PROPERTY_INTEGER property);
double HistoryOrderGetDouble(ulong ticket, ENUM_ORDER_PROPERTY_DOUBLE property);
string HistoryOrderGetString(ulong ticket, ENUM_ORDER_PROPERTY_STRING property);
int HistoryDealsTotal();
ulong HistoryDealGetTicket(int index);
long HistoryDealGetInteger(ulong ticket, ENUM_DEAL_PROPERTY_INTEGER property);
double HistoryDealGetDouble(ulong ticket, ENUM_DEAL_PROPERTY_DOUBLE property);
string HistoryDealGetString(ulong ticket, ENUM_DEAL_PROPERTY_STRING property);
bool OrderSend(MqlTradeRequest &request, MqlTradeResult &result);
