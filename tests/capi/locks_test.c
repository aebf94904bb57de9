/*
 * One profile, one opener: in this process, in another program, and after that one was killed.
 * The program runs itself again as `locks hold PATH` (opens, says so, waits) and `locks try PATH`.
 */
#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "check.h"
#include "support.h"

static int32_t try_to_open(wherry_profile* profile, const char* path) {
  return wherry_profile_open(profile, path, test_key, sizeof test_key, WHERRY_KEY_RAW, NULL,
                             details());
}

/* Starts this program again; `from` is its output. */
static pid_t start(const char* what, const char* path, int* from) {
  int ends[2];
  check_must(CHECK(pipe(ends) == 0));
  const pid_t child = fork();
  if (child == 0) {
    dup2(ends[1], STDOUT_FILENO);
    close(ends[0]);
    close(ends[1]);
    execl("/proc/self/exe", "locks", what, path, (char*)NULL);
    _exit(126);
  }
  close(ends[1]);
  *from = ends[0];
  return child;
}

static int exit_of(pid_t child) {
  int status = -1;
  CHECK_INT(waitpid(child, &status, 0), child);
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static void within_this_process(void) {
  wherry_profile second = {42};
  const wherry_profile first = create("mine");
  CHECK_FAILS(WHERRY_E_LOCKED, try_to_open(&second, scratch("mine")));
  CHECK_INT(second.id, 42);
  CHECK_OK(wherry_close(first));
  CHECK_OK(try_to_open(&second, scratch("mine")));
  CHECK_OK(wherry_close(second));
}

static void from_another_program(void) {
  int from = -1;
  const wherry_profile mine = create("held");
  pid_t other = start("try", scratch("held"), &from);
  CHECK_INT(exit_of(other), 0);
  close(from);
  CHECK_OK(wherry_close(mine));
}

static void held_by_a_program_that_is_killed(void) {
  int from = -1;
  char ready = 0;
  wherry_profile profile = {42};
  CHECK_OK(wherry_close(create("killed")));
  const pid_t holder = start("hold", scratch("killed"), &from);
  CHECK_INT(read(from, &ready, 1), 1);
  CHECK_FAILS(WHERRY_E_LOCKED, try_to_open(&profile, scratch("killed")));
  CHECK_INT(profile.id, 42);
  CHECK_INT(kill(holder, SIGKILL), 0);
  CHECK_INT(exit_of(holder), -1);
  close(from);
  /* The lock went with it, and what it left behind is no obstacle. */
  CHECK_OK(try_to_open(&profile, scratch("killed")));
  CHECK_OK(wherry_close(profile));
}

int main(int argc, char** argv) {
  if (argc == 3) {
    wherry_profile profile = {42};
    if (strcmp(argv[1], "try") == 0) {
      CHECK_FAILS(WHERRY_E_LOCKED, try_to_open(&profile, argv[2]));
      CHECK_INT(profile.id, 42);
      return check_result();
    }
    MUST(try_to_open(&profile, argv[2]));
    if (write(STDOUT_FILENO, "r", 1) != 1) return 1;
    for (;;) pause();
  }
  within_this_process();
  from_another_program();
  held_by_a_program_that_is_killed();
  return check_result();
}
