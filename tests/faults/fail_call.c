/* Makes one system call of a program fail: the DINO_FAIL_CALL-th (from 1) that changes something under the folder DINO_FAIL_UNDER.
   DINO_FAIL_ERRNO is its errno; 0 makes a write a short one instead. DINO_FAIL_LOG gets a line for each call counted, for the error that was
   given too. To be loaded by LD_PRELOAD; Linux alone. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <unistd.h>

static pthread_mutex_t gate = PTHREAD_MUTEX_INITIALIZER;
static long counted, wanted;
static int error_given, started;
static const char *under;
static char log_path[PATH_MAX];

static void start(void) {
  if (started)
    return;
  started = 1;
  under = getenv("DINO_FAIL_UNDER");
  const char *call = getenv("DINO_FAIL_CALL"), *error = getenv("DINO_FAIL_ERRNO"), *log = getenv("DINO_FAIL_LOG");
  wanted = call ? atol(call) : 0;
  error_given = error ? atoi(error) : EIO;
  if (log)
    snprintf(log_path, sizeof log_path, "%s", log);
}

static int is_under(const char *path) {
  size_t length = under ? strlen(under) : 0;
  return path && length && strncmp(path, under, length) == 0 && (path[length] == '/' || path[length] == 0);
}

/* Counts a call; whether it is the one that fails. */
static int fails(const char *what, const char *path) {
  int saved = errno;
  pthread_mutex_lock(&gate);
  long number = ++counted;
  int hit = number == wanted;
  if (log_path[0]) {
    char line[PATH_MAX + 64];
    int length = snprintf(line, sizeof line, "%ld %s %s%s\n", number, what, path, hit ? " FAILS" : "");
    int file = syscall(SYS_openat, AT_FDCWD, log_path, O_WRONLY | O_CREAT | O_APPEND, 0644);
    if (file >= 0) {
      syscall(SYS_write, file, line, (size_t)length < sizeof line ? (size_t)length : sizeof line - 1);
      syscall(SYS_close, file);
    }
  }
  pthread_mutex_unlock(&gate);
  errno = saved;
  return hit;
}

static int path_counts(const char *path) {
  start();
  return is_under(path);
}

/* The path of a descriptor that was opened under the folder. */
static int descriptor_counts(int descriptor, char *path) {
  start();
  if (!under)
    return 0;
  int saved = errno;
  char link[64];
  snprintf(link, sizeof link, "/proc/self/fd/%d", descriptor);
  ssize_t length = readlink(link, path, PATH_MAX - 1);
  errno = saved;
  if (length < 0)
    return 0;
  path[length] = 0;
  return is_under(path);
}

#define REAL(name) static __typeof__(&name) real; if (!real) real = (__typeof__(&name))dlsym(RTLD_NEXT, #name)

#define ON_PATH(what, path) \
  if (path_counts(path) && fails(what, path)) { errno = error_given ? error_given : EIO; return -1; }

/* Reading a folder or a file changes nothing: only opening to write counts, and opening the folder to flush it. */
#define OPEN(name) \
  int name(const char *path, int flags, ...) { \
    REAL(name); \
    va_list list; va_start(list, flags); mode_t mode = va_arg(list, mode_t); va_end(list); \
    if ((flags & O_ACCMODE) != O_RDONLY) ON_PATH("open", path) \
    return real(path, flags, mode); \
  }
OPEN(open)
OPEN(open64)

#define OPENAT(name) \
  int name(int folder, const char *path, int flags, ...) { \
    REAL(name); \
    va_list list; va_start(list, flags); mode_t mode = va_arg(list, mode_t); va_end(list); \
    if ((flags & O_ACCMODE) != O_RDONLY) ON_PATH("open", path) \
    return real(folder, path, flags, mode); \
  }
OPENAT(openat)
OPENAT(openat64)

#define ON_DESCRIPTOR(what) \
  char path[PATH_MAX]; \
  if (descriptor_counts(descriptor, path) && fails(what, path)) { errno = error_given ? error_given : EIO; return -1; }

/* A write that fails, or that takes but half. */
#define ON_WRITE(short_one) \
  char path[PATH_MAX]; \
  if (descriptor_counts(descriptor, path) && fails("write", path)) { \
    if (error_given || size < 2) { errno = error_given ? error_given : EIO; return -1; } \
    return short_one; \
  }

ssize_t write(int descriptor, const void *bytes, size_t size) {
  REAL(write);
  ON_WRITE(real(descriptor, bytes, size / 2))
  return real(descriptor, bytes, size);
}

ssize_t pwrite(int descriptor, const void *bytes, size_t size, off_t at) {
  REAL(pwrite);
  ON_WRITE(real(descriptor, bytes, size / 2, at))
  return real(descriptor, bytes, size, at);
}

ssize_t pwrite64(int descriptor, const void *bytes, size_t size, off64_t at) {
  REAL(pwrite64);
  ON_WRITE(real(descriptor, bytes, size / 2, at))
  return real(descriptor, bytes, size, at);
}

ssize_t writev(int descriptor, const struct iovec *parts, int count) {
  REAL(writev);
  size_t size = count > 0 ? parts[0].iov_len : 0;
  ON_WRITE(write(descriptor, parts[0].iov_base, size / 2))
  return real(descriptor, parts, count);
}

ssize_t pwritev(int descriptor, const struct iovec *parts, int count, off_t at) {
  REAL(pwritev);
  size_t size = count > 0 ? parts[0].iov_len : 0;
  ON_WRITE(pwrite(descriptor, parts[0].iov_base, size / 2, at))
  return real(descriptor, parts, count, at);
}

ssize_t pwritev64(int descriptor, const struct iovec *parts, int count, off64_t at) {
  REAL(pwritev64);
  size_t size = count > 0 ? parts[0].iov_len : 0;
  ON_WRITE(pwrite64(descriptor, parts[0].iov_base, size / 2, at))
  return real(descriptor, parts, count, at);
}

int fsync(int descriptor) {
  REAL(fsync);
  ON_DESCRIPTOR("fsync")
  return real(descriptor);
}

int fdatasync(int descriptor) {
  REAL(fdatasync);
  ON_DESCRIPTOR("fdatasync")
  return real(descriptor);
}

int ftruncate(int descriptor, off_t size) {
  REAL(ftruncate);
  ON_DESCRIPTOR("ftruncate")
  return real(descriptor, size);
}

int ftruncate64(int descriptor, off64_t size) {
  REAL(ftruncate64);
  ON_DESCRIPTOR("ftruncate")
  return real(descriptor, size);
}

/* A close that fails has closed all the same. */
int close(int descriptor) {
  REAL(close);
  char path[PATH_MAX];
  int hit = descriptor_counts(descriptor, path) && fails("close", path);
  int result = real(descriptor);
  if (!hit)
    return result;
  errno = error_given ? error_given : EIO;
  return -1;
}

int rename(const char *from, const char *to) {
  REAL(rename);
  ON_PATH("rename", to)
  return real(from, to);
}

int renameat(int from_folder, const char *from, int to_folder, const char *to) {
  REAL(renameat);
  ON_PATH("rename", to)
  return real(from_folder, from, to_folder, to);
}

int mkdir(const char *path, mode_t mode) {
  REAL(mkdir);
  ON_PATH("mkdir", path)
  return real(path, mode);
}

int unlink(const char *path) {
  REAL(unlink);
  ON_PATH("unlink", path)
  return real(path);
}

int link(const char *from, const char *to) {
  REAL(link);
  ON_PATH("link", to)
  return real(from, to);
}
