/* Loaded into a Postgres server: while a file is there, each flush to the disk takes a while. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

typedef int (*flush)(int);

static int slowly(const char *name, int fd) {
  const char *file = getenv("SLOW_FSYNC_FILE");
  if (file != NULL && access(file, F_OK) == 0) {
    struct timespec delay = {0, 300 * 1000 * 1000};
    nanosleep(&delay, NULL);
  }
  return ((flush)dlsym(RTLD_NEXT, name))(fd);
}

int fsync(int fd) { return slowly("fsync", fd); }
int fdatasync(int fd) { return slowly("fdatasync", fd); }
