// MQL5's files: binary ones, in a folder that stands for MQL5/Files.

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <map>

#include "standin.hpp"

namespace {

const int ERROR_CANNOT_OPEN = 5004;

struct OpenFile {
    int descriptor;
    bool writes;
    std::string unflushed;
};

std::map<int, OpenFile> open_files;
int next_file = 1;

std::filesystem::path path_of(const string &name) {
    std::string text = utf8(name);
    std::replace(text.begin(), text.end(), '\\', '/');
    if(text.find("..") != std::string::npos || text.empty() || text[0] == '/') standin::critical("a file outside");
    return std::filesystem::path(standin::options().files) / text;
}

OpenFile &file_of(int file) {
    auto found = open_files.find(file);
    if(found == open_files.end()) standin::critical("a file handle that is not open");
    return found->second;
}

// What the terminal buffers is lost when it is killed, so it is kept here until a flush.
void write_out(OpenFile &file) {
    size_t done = 0;
    while(done < file.unflushed.size()) {
        ssize_t wrote = ::write(file.descriptor, file.unflushed.data() + done, file.unflushed.size() - done);
        if(wrote < 0) standin::critical("a file can't be written");
        done += (size_t)wrote;
    }
    file.unflushed.clear();
}

}  // namespace

int FileOpen(const string &name, int flags) {
    if((flags & FILE_BIN) == 0) standin::critical("FileOpen other than FILE_BIN");
    bool reads = (flags & FILE_READ) != 0;
    bool writes = (flags & FILE_WRITE) != 0;
    std::filesystem::path path = path_of(name);
    int how = writes ? (O_RDWR | O_CREAT | (reads ? 0 : O_TRUNC)) : O_RDONLY;
    if(writes) std::filesystem::create_directories(path.parent_path());
    int descriptor = ::open(path.c_str(), how | O_CLOEXEC, 0600);
    // A file that is not opened for sharing is one program's own.
    bool shared = (flags & FILE_SHARE_READ) != 0 && !writes;
    if(descriptor >= 0 && ::flock(descriptor, (shared ? LOCK_SH : LOCK_EX) | LOCK_NB) != 0) {
        ::close(descriptor);
        descriptor = -1;
    }
    if(descriptor < 0) {
        SetLastError(ERROR_CANNOT_OPEN);
        return INVALID_HANDLE;
    }
    open_files[next_file] = OpenFile{descriptor, writes, ""};
    return next_file++;
}

void FileClose(int file) {
    write_out(file_of(file));
    ::close(file_of(file).descriptor);
    open_files.erase(file);
}

void FileFlush(int file) {
    write_out(file_of(file));
}

bool FileSeek(int file, long offset, ENUM_FILE_POSITION origin) {
    OpenFile &open = file_of(file);
    write_out(open);
    return ::lseek(open.descriptor, offset, origin == SEEK_SET ? 0 : 2) >= 0;
}

ulong FileSize(int file) {
    struct stat status;
    write_out(file_of(file));
    return ::fstat(file_of(file).descriptor, &status) == 0 ? (ulong)status.st_size : 0;
}

bool FileIsExist(const string &name, int common) {
    return std::filesystem::exists(path_of(name));
}

bool FileDelete(const string &name, int common) {
    return std::filesystem::remove(path_of(name));
}

bool FileMove(const string &from, int common, const string &to, int mode) {
    if((mode & FILE_REWRITE) == 0 && FileIsExist(to)) return false;
    std::error_code error;
    std::filesystem::rename(path_of(from), path_of(to), error);
    return !error;
}

uint FileReadArray(int file, array<uchar> &bytes, int start, int count) {
    if(start != 0 || count < 0 || count > ArraySize(bytes)) standin::critical("FileReadArray beyond the array");
    size_t done = 0;
    while(done < (size_t)count) {
        ssize_t read = ::read(file_of(file).descriptor, bytes.items.data() + done, (size_t)count - done);
        if(read <= 0) break;
        done += (size_t)read;
    }
    return (uint)done;
}

uint FileWriteArray(int file, const array<uchar> &bytes, int start, int count) {
    if(start != 0 || count < 0 || count > ArraySize(bytes)) standin::critical("FileWriteArray beyond the array");
    OpenFile &open = file_of(file);
    if(!open.writes) return 0;
    if(standin::disk_full()) return 0;
    open.unflushed.append(bytes.items.begin(), bytes.items.begin() + count);
    return (uint)count;
}
