// team.c - a star of TCP connections around rank 0.
//
// Needs:  what dsprt_team_read found in the environment.
// Leaves: connections on which every message of rank 0 begins with its kind.
#include "team.h"

#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum {
  GRACE = 5, ///< seconds that the others wait longer than rank 0
  PORTS_TRIED = 16,
  SECONDS_TO_CONNECT = 60,
  FIRST_PORT = 20000,
  PORTS = 20000,
};

typedef enum Kind {
  DATA = 0x44535044,
  LOST = 0x4453504c,
  STUCK = 0x44535053,
  ASK = 0x44535041, ///< answered by a byte
} Kind;

/// In front of every message of rank 0.
typedef struct Header {
  int32_t kind, rank;
} Header;

/// What a rank says first, so that two runs on a machine do not mix.
typedef struct Hello {
  uint64_t job;
  int32_t rank, ranks;
} Hello;

static bool fail(DsprtTeamError *error, const char *format, ...)
    __attribute__((format(printf, 2, 3)));


static bool fail(DsprtTeamError *error, const char *format, ...) {
  va_list args;
  va_start(args, format);
  vsnprintf(error->text, sizeof error->text, format, args);
  va_end(args);
  return false;
}

/// A number that all processes of this run have, and no others.
static uint64_t job_of(void) {
  static const char *const names[] = {
      "PMIX_NAMESPACE",      "OMPI_MCA_ess_base_jobid", "SLURM_JOB_ID",
      "SLURM_STEP_ID",       "TORCHELASTIC_RUN_ID",     "MASTER_PORT",
      "TORCHELASTIC_RESTART_COUNT"};
  uint64_t hash = 0xcbf29ce484222325u;
  for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
    const char *text = getenv(names[i]);
    for (; text && *text; text++)
      hash = (hash ^ (unsigned char)*text) * 0x100000001b3u;
  }
  return hash;
}

static int first_port(const DsprtTeam *team, uint64_t job) {
  return team->port ? team->port : FIRST_PORT + (int)(job % PORTS);
}

static void set_options(int socket) {
  int yes = 1;
  setsockopt(socket, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
  setsockopt(socket, SOL_SOCKET, SO_KEEPALIVE, &yes, sizeof yes);
}

static bool send_all(int socket, const void *data, int64_t bytes) {
  const char *at = data;
  while (bytes > 0) {
    ssize_t n = send(socket, at, (size_t)bytes, MSG_NOSIGNAL);
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return false;
    at += n;
    bytes -= n;
  }
  return true;
}

static bool receive_all(int socket, void *data, int64_t bytes) {
  char *at = data;
  while (bytes > 0) {
    ssize_t n = recv(socket, at, (size_t)bytes, 0);
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return false;
    at += n;
    bytes -= n;
  }
  return true;
}

static bool is_late(time_t begin) {
  return time(NULL) - begin > SECONDS_TO_CONNECT;
}

static int listen_somewhere(int first) {
  int yes = 1, server = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (server < 0) return -1;
  setsockopt(server, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
  for (int i = 0; i < PORTS_TRIED; i++) {
    struct sockaddr_in at = {.sin_family = AF_INET,
                             .sin_port = htons((uint16_t)(first + i)),
                             .sin_addr = {htonl(INADDR_ANY)}};
    if (bind(server, (struct sockaddr *)&at, sizeof at) == 0 &&
        listen(server, SOMAXCONN) == 0)
      return server;
  }
  close(server);
  return -1;
}

/// Takes one connection; -1 when it is not one of this run.
static int accept_one(int server, const Hello *mine, int32_t *rank) {
  struct pollfd ready = {.fd = server, .events = POLLIN};
  if (poll(&ready, 1, 200) <= 0) return -1;
  int peer = accept(server, NULL, NULL);
  if (peer < 0) return -1;
  struct timeval patience = {.tv_sec = 5};
  setsockopt(peer, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
  Hello hello;
  bool known = receive_all(peer, &hello, sizeof hello) &&
               hello.job == mine->job && hello.ranks == mine->ranks &&
               hello.rank > 0 && hello.rank < mine->ranks;
  if (!known || !send_all(peer, mine, sizeof *mine)) {
    close(peer);
    return -1;
  }
  patience.tv_sec = 0;
  setsockopt(peer, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
  set_options(peer);
  *rank = hello.rank;
  return peer;
}

static bool gather_peers(DsprtTeam *team, const Hello *mine,
                         DsprtTeamError *error) {
  int first = first_port(team, mine->job), server = listen_somewhere(first);
  if (server < 0)
    return fail(error, "cannot listen on ports %d to %d: %s", first,
                first + PORTS_TRIED - 1, strerror(errno));
  time_t begin = time(NULL);
  int missing = team->ranks - 1;
  while (missing > 0 && !is_late(begin)) {
    int32_t rank = 0;
    int peer = accept_one(server, mine, &rank);
    if (peer < 0) continue;
    missing -= team->peers[rank] < 0;
    team->peers[rank] = peer;
  }
  close(server);
  if (missing == 0) return true;
  return fail(error, "%d of %d ranks did not come within %d seconds", missing,
              team->ranks, SECONDS_TO_CONNECT);
}

/// A connection to rank 0 of this run on one port, or -1.
static int try_port(const struct addrinfo *where, int port,
                    const Hello *mine) {
  struct sockaddr_in at;
  memcpy(&at, where->ai_addr, sizeof at);
  at.sin_port = htons((uint16_t)port);
  int peer = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (peer < 0) return -1;
  struct timeval patience = {.tv_sec = 5};
  setsockopt(peer, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
  Hello hello;
  if (connect(peer, (struct sockaddr *)&at, sizeof at) == 0 &&
      send_all(peer, mine, sizeof *mine) &&
      receive_all(peer, &hello, sizeof hello) && hello.job == mine->job &&
      hello.rank == 0) {
    patience.tv_sec = 0;
    setsockopt(peer, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    set_options(peer);
    return peer;
  }
  close(peer);
  return -1;
}

static bool reach_root(DsprtTeam *team, const Hello *mine,
                       DsprtTeamError *error) {
  struct addrinfo want = {.ai_family = AF_INET, .ai_socktype = SOCK_STREAM};
  struct addrinfo *where;
  int wrong = getaddrinfo(team->host, NULL, &want, &where);
  if (wrong)
    return fail(error, "the machine of rank 0, '%s': %s", team->host,
                gai_strerror(wrong));
  time_t begin = time(NULL);
  int first = first_port(team, mine->job);
  while (team->peers[0] < 0 && !is_late(begin)) {
    for (int i = 0; i < PORTS_TRIED && team->peers[0] < 0; i++)
      team->peers[0] = try_port(where, first + i, mine);
    struct timespec pause = {.tv_nsec = 50000000};
    if (team->peers[0] < 0) nanosleep(&pause, NULL);
  }
  freeaddrinfo(where);
  if (team->peers[0] >= 0) return true;
  return fail(error,
              "rank 0 was not reached on %s, ports %d to %d, within %d "
              "seconds: set MASTER_ADDR to its machine",
              team->host, first, first + PORTS_TRIED - 1, SECONDS_TO_CONNECT);
}

bool dsprt_team_connect(DsprtTeam *team, DsprtTeamError *error) {
  if (team->ranks == 1) return true;
  size_t count = team->rank == 0 ? (size_t)team->ranks : 1;
  team->peers = malloc(count * sizeof *team->peers);
  if (!team->peers) return fail(error, "out of memory");
  for (size_t i = 0; i < count; i++) team->peers[i] = -1;
  Hello mine = {job_of(), team->rank, team->ranks};
  return team->rank == 0 ? gather_peers(team, &mine, error)
                         : reach_root(team, &mine, error);
}

/// Tells all ranks but `lost` about it.
static void tell(DsprtTeam *team, Kind kind, int lost) {
  Header header = {(int32_t)kind, lost};
  for (int r = 1; r < team->ranks; r++)
    if (r != lost && team->peers[r] >= 0)
      send_all(team->peers[r], &header, sizeof header);
}

static bool root_lost(DsprtTeam *team, int rank, DsprtTeamError *error) {
  tell(team, LOST, rank);
  return fail(error, "rank %d has ended", rank);
}

/// What rank 0 said of a rank.
static bool say(DsprtTeamError *error, const Header *header) {
  return fail(error, header->kind == STUCK ? "rank %d is stuck"
                                           : "rank %d has ended",
              header->rank);
}

static void answer(DsprtTeam *team) {
  char here = 1;
  send_all(team->peers[0], &here, 1);
}

/// Waits for rank 0, a while longer than that would wait for us.
static bool wait_for_root(DsprtTeam *team, DsprtTeamError *error) {
  struct pollfd ready = {.fd = team->peers[0], .events = POLLIN};
  int patience = team->timeout ? (team->timeout + GRACE) * 1000 : -1, n;
  while ((n = poll(&ready, 1, patience)) < 0 && errno == EINTR);
  return n > 0 || fail(error, "rank 0 is stuck: it says nothing for %d seconds "
                              "(DSPRT_TIMEOUT sets them)",
                       team->timeout + GRACE);
}

/// Reads what stands in front of rank 0's messages.
static bool read_header(DsprtTeam *team, DsprtTeamError *error) {
  for (Header header;; answer(team)) {
    if (!wait_for_root(team, error)) return false;
    if (!receive_all(team->peers[0], &header, sizeof header))
      return fail(error, "rank 0 has ended");
    if (header.kind == DATA) return true;
    if (header.kind != ASK) return say(error, &header);
  }
}

/// The first rank that has not sent anything.
static bool root_stuck(DsprtTeam *team, const bool *here,
                       DsprtTeamError *error) {
  int rank = 1;
  while (rank + 1 < team->ranks && here[rank]) rank++;
  tell(team, STUCK, rank);
  return fail(error, "rank %d is stuck: it says nothing for %d seconds "
                     "(DSPRT_TIMEOUT sets them)",
              rank, team->timeout);
}

static bool root_gather(DsprtTeam *team, int64_t bytes, char *all,
                        DsprtTeamError *error) {
  int missing = team->ranks - 1;
  bool *here = calloc((size_t)team->ranks, sizeof *here);
  struct pollfd *ready = calloc((size_t)team->ranks, sizeof *ready);
  if (!here || !ready) return fail(error, "out of memory");
  int lost = 0, ready_ranks = 1;
  int patience = team->timeout ? team->timeout * 1000 : -1;
  while (missing > 0 && !lost) {
    for (int r = 0; r < team->ranks; r++)
      ready[r] = (struct pollfd){.fd = r && !here[r] ? team->peers[r] : -1,
                                 .events = POLLIN};
    ready_ranks = poll(ready, (nfds_t)team->ranks, patience);
    if (ready_ranks == 0) break;
    if (ready_ranks < 0) continue;
    for (int r = 1; r < team->ranks && !lost; r++) {
      if (!ready[r].revents || here[r]) continue;
      here[r] = receive_all(team->peers[r], all + r * bytes, bytes);
      if (!here[r]) lost = r;
      missing--;
    }
  }
  bool whole = ready_ranks != 0 || root_stuck(team, here, error);
  free(here);
  free(ready);
  return whole && (lost ? root_lost(team, lost, error) : true);
}

bool dsprt_team_gather(DsprtTeam *team, const void *mine, int64_t bytes,
                       void *all, DsprtTeamError *error) {
  int64_t whole = bytes * team->ranks;
  if (bytes == 0) return true; // nothing that anybody could wait for
  memcpy((char *)all + team->rank * bytes, mine, (size_t)bytes);
  if (team->ranks == 1) return true;
  if (team->rank > 0) {
    if (!send_all(team->peers[0], mine, bytes))
      return fail(error, "rank 0 has ended");
    if (!read_header(team, error)) return false;
    return receive_all(team->peers[0], all, whole) ||
           fail(error, "rank 0 has ended");
  }
  if (!root_gather(team, bytes, all, error)) return false;
  Header header = {DATA, 0};
  for (int r = 1; r < team->ranks; r++)
    if (!send_all(team->peers[r], &header, sizeof header) ||
        !send_all(team->peers[r], all, whole))
      return root_lost(team, r, error);
  return true;
}

/// Looks at what rank 0 says next, without waiting.  Returns a header of kind
/// DATA when there is nothing, LOST when rank 0 has ended.
static Header peek_root(const DsprtTeam *team) {
  Header header;
  ssize_t n = recv(team->peers[0], &header, sizeof header,
                   MSG_PEEK | MSG_DONTWAIT);
  if (n == (ssize_t)sizeof header) return header;
  if (n < 0 && (errno == EAGAIN || errno == EINTR)) return (Header){DATA, 0};
  return (Header){n > 0 ? DATA : LOST, 0};
}

static bool peer_is_lost(DsprtTeam *team, DsprtTeamError *error) {
  for (int r = 1; r < team->ranks; r++) {
    char byte;
    ssize_t n = recv(team->peers[r], &byte, 1, MSG_PEEK | MSG_DONTWAIT);
    if (n > 0 || (n < 0 && (errno == EAGAIN || errno == EINTR))) continue;
    root_lost(team, r, error);
    return true;
  }
  return false;
}

bool dsprt_team_is_lost(DsprtTeam *team, DsprtTeamError *error) {
  if (team->ranks == 1) return false;
  if (team->rank == 0) return peer_is_lost(team, error);
  Header header = peek_root(team);
  if (header.kind == DATA || header.kind == ASK) return false;
  say(error, &header);
  return true;
}

bool dsprt_team_listen(DsprtTeam *team, DsprtTeamError *error) {
  if (team->ranks > 1 && team->rank > 0) {
    Header header = peek_root(team);
    if (header.kind == ASK &&
        receive_all(team->peers[0], &header, sizeof header))
      answer(team);
  }
  return dsprt_team_is_lost(team, error);
}

int dsprt_team_find_stuck(DsprtTeam *team) {
  if (team->rank > 0 || team->ranks == 1) return -1;
  tell(team, ASK, 0);
  int stuck = -1;
  time_t end = time(NULL) + 3;
  for (int r = 1; r < team->ranks && stuck < 0; r++) {
    struct pollfd ready = {.fd = team->peers[r], .events = POLLIN};
    time_t left = end - time(NULL);
    if (poll(&ready, 1, left > 0 ? (int)left * 1000 : 0) <= 0) stuck = r;
  }
  if (stuck > 0) tell(team, STUCK, stuck);
  return stuck;
}

void dsprt_team_close(DsprtTeam *team, bool failed) {
  if (!team->peers) return;
  if (failed && team->rank == 0) tell(team, LOST, 0);
  int count = team->rank == 0 ? team->ranks : 1;
  for (int i = 0; i < count; i++)
    if (team->peers[i] >= 0) close(team->peers[i]);
  free(team->peers);
  team->peers = NULL;
}
