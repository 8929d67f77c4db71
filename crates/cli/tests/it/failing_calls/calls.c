// Stands between a program and the C library: counts the calls that it makes on files, and has the n-th of them fail, or kills
// the program before it. A test builds it and preloads it.
//
// CALLS_UNDER  calls on paths below this folder count, on relative ones, on what was opened so, and on standard output
// CALLS_LOG    a file for what was called: 8 bytes with their number, then 16 bytes a call with its name
// CALLS_AT     the call that fails, from 1 on; 0 lets all pass
// CALLS_ERRNO  with this error; 0 kills the program before the call
// CALLS_FULL   1: from that call on everything fails that takes room, as on a disk that stays full
#define _GNU_SOURCE
#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#define FILES 65536
#define NAMES 4096

struct entry { char name[16]; };
static struct { long number; char pad[8]; struct entry calls[NAMES]; } *log_file;
static long at, number;
static int error, full;
static const char *under;
static unsigned char ours[FILES];

#define REAL(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))

__attribute__((constructor)) static void begin(void) {
    under = getenv("CALLS_UNDER");
    const char *path = getenv("CALLS_LOG");
    at = getenv("CALLS_AT") ? atol(getenv("CALLS_AT")) : 0;
    error = getenv("CALLS_ERRNO") ? atoi(getenv("CALLS_ERRNO")) : 0;
    full = getenv("CALLS_FULL") != NULL;
    if (!under || !path) return;
    int file = syscall(SYS_openat, AT_FDCWD, path, O_RDWR | O_CREAT | O_CLOEXEC, 0644);
    if (file < 0 || syscall(SYS_ftruncate, file, sizeof *log_file) != 0) return;
    void *place = REAL(mmap)(NULL, sizeof *log_file, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
    if (place != MAP_FAILED) log_file = place;
    syscall(SYS_close, file);
    ours[1] = 1;
}

// Whether this call, which takes room on the disk or not, is to fail.
static int fails(const char *name, int takes_room) {
    if (!log_file) return 0;
    long n = __atomic_add_fetch(&number, 1, __ATOMIC_SEQ_CST);
    if (n <= NAMES) strncpy(log_file->calls[n - 1].name, name, sizeof(struct entry) - 1);
    __atomic_store_n(&log_file->number, n, __ATOMIC_SEQ_CST);
    if (!at || n < at || (n > at && !full) || (full && !takes_room)) return 0;
    if (!error) syscall(SYS_kill, getpid(), SIGKILL);
    errno = error;
    return 1;
}

static int is_ours(int folder, const char *path) {
    if (!path || !under) return 0;
    if (path[0] == '/') return strncmp(path, under, strlen(under)) == 0;
    return folder == AT_FDCWD || (folder >= 0 && folder < FILES && ours[folder]);
}

static int is_open(int file) { return file >= 0 && file < FILES && ours[file]; }

static int opened(int file, int is) {
    if (file >= 0 && file < FILES) ours[file] = is;
    return file;
}

#define MODE(flags) \
    mode_t mode = 0; \
    if ((flags) & (O_CREAT | __O_TMPFILE)) { va_list rest; va_start(rest, flags); mode = va_arg(rest, mode_t); va_end(rest); }

#define OPEN(name) \
    int name(const char *path, int flags, ...) { \
        MODE(flags) \
        int is = is_ours(AT_FDCWD, path); \
        if (is && fails("open", flags & O_CREAT)) return -1; \
        return opened(REAL(name)(path, flags, mode), is); \
    }
OPEN(open)
OPEN(open64)

#define OPENAT(name) \
    int name(int folder, const char *path, int flags, ...) { \
        MODE(flags) \
        int is = is_ours(folder, path); \
        if (is && fails("open", flags & O_CREAT)) return -1; \
        return opened(REAL(name)(folder, path, flags, mode), is); \
    }
OPENAT(openat)
OPENAT(openat64)

int close(int file) {
    opened(file, file == 1);
    return REAL(close)(file);
}

DIR *opendir(const char *path) {
    int is = is_ours(AT_FDCWD, path);
    if (is && fails("opendir", 0)) return NULL;
    DIR *folder = REAL(opendir)(path);
    if (folder) opened(dirfd(folder), is);
    return folder;
}

#define READDIR(name, type) \
    struct type *name(DIR *folder) { \
        if (is_open(dirfd(folder)) && fails("readdir", 0)) return NULL; \
        return REAL(name)(folder); \
    }
READDIR(readdir, dirent)
READDIR(readdir64, dirent64)

// Calls on an open file.
#define ON(type, name, room, parameters, arguments) \
    type name parameters { \
        if (is_open(file) && fails(#name, room)) return -1; \
        return REAL(name) arguments; \
    }
ON(ssize_t, read, 0, (int file, void *to, size_t n), (file, to, n))
ON(ssize_t, readv, 0, (int file, const struct iovec *to, int n), (file, to, n))
ON(ssize_t, pread, 0, (int file, void *to, size_t n, off_t from), (file, to, n, from))
ON(ssize_t, pread64, 0, (int file, void *to, size_t n, off64_t from), (file, to, n, from))
ON(ssize_t, write, 1, (int file, const void *from, size_t n), (file, from, n))
ON(ssize_t, writev, 1, (int file, const struct iovec *from, int n), (file, from, n))
ON(ssize_t, pwrite, 1, (int file, const void *from, size_t n, off_t to), (file, from, n, to))
ON(ssize_t, pwrite64, 1, (int file, const void *from, size_t n, off64_t to), (file, from, n, to))

// Nothing is told of power cuts here, so nothing waits for the disk.
#define SYNC(name) \
    int name(int file) { \
        if (!is_open(file) || !log_file) return REAL(name)(file); \
        return fails(#name, 0) ? -1 : 0; \
    }
SYNC(fsync)
SYNC(fdatasync)

ON(int, ftruncate, 1, (int file, off_t n), (file, n))
ON(int, ftruncate64, 1, (int file, off64_t n), (file, n))
ON(int, flock, 0, (int file, int what), (file, what))
ON(off_t, lseek, 0, (int file, off_t to, int whence), (file, to, whence))
ON(off64_t, lseek64, 0, (int file, off64_t to, int whence), (file, to, whence))

#define FCNTL(name) \
    int name(int file, int what, ...) { \
        va_list rest; \
        va_start(rest, what); \
        void *with = va_arg(rest, void *); \
        va_end(rest); \
        int copies = what == F_DUPFD || what == F_DUPFD_CLOEXEC; \
        int is = is_open(file); \
        if (is && what != F_GETFD && fails("fcntl", 0)) return -1; \
        int answer = REAL(name)(file, what, with); \
        return copies ? opened(answer, is) : answer; \
    }
FCNTL(fcntl)
FCNTL(fcntl64)

#define MAP(name, offset) \
    void *name(void *where, size_t n, int rights, int flags, int file, offset from) { \
        if (!(flags & MAP_ANONYMOUS) && is_open(file) && fails("mmap", 0)) return MAP_FAILED; \
        return REAL(name)(where, n, rights, flags, file, from); \
    }
MAP(mmap, off_t)
MAP(mmap64, off64_t)

// Calls on paths.
#define AT_PATH(name, room, parameters, arguments) \
    int name parameters { \
        if (is_ours(AT_FDCWD, path) && fails(#name, room)) return -1; \
        return REAL(name) arguments; \
    }
AT_PATH(mkdir, 1, (const char *path, mode_t mode), (path, mode))
AT_PATH(rmdir, 0, (const char *path), (path))
AT_PATH(unlink, 0, (const char *path), (path))
AT_PATH(rename, 1, (const char *path, const char *to), (path, to))
AT_PATH(link, 1, (const char *path, const char *to), (path, to))

int linkat(int from, const char *path, int to, const char *name, int flags) {
    if (is_ours(to, name) && fails("link", 1)) return -1;
    return REAL(linkat)(from, path, to, name, flags);
}

int unlinkat(int folder, const char *path, int flags) {
    if (is_ours(folder, path) && fails("unlink", 0)) return -1;
    return REAL(unlinkat)(folder, path, flags);
}

int statx(int folder, const char *restrict path, int flags, unsigned mask, struct statx *restrict to) {
    // Rust asks once with no path whether there is such a call, although the library says that there is one.
    const char *volatile named = path;
    int is = named && named[0] ? is_ours(folder, named) : is_open(folder);
    if (is && fails("stat", 0)) return -1;
    return REAL(statx)(folder, path, flags, mask, to);
}

char *realpath(const char *restrict path, char *restrict to) {
    if (is_ours(AT_FDCWD, path) && fails("realpath", 0)) return NULL;
    return REAL(realpath)(path, to);
}
