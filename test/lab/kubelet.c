/*
 * A stand-in for the kubelet, for real nodes of the test lab: it starts, refuses, serves and dies as
 * the real one does where a tool that mends its configuration can see it (kubelet.md 2 and 3).
 *
 * It does: flags by pflag's rules, --config (JSON or YAML by content), --config-dir, Go durations,
 * defaulting by version, /healthz, /configz (on the healthz port, for the tests' own truth),
 * sd_notify, --version, clean exit on SIGTERM.
 * It does NOT: run pods, know any config key but apiVersion, kind, streamingConnectionIdleTimeout,
 * healthzPort and healthzBindAddress, check the values of other flags, read YAML anchors, block scalars,
 * or several documents' later parts (nested YAML is skipped unread), nor JSON's \u escapes beyond ASCII.
 *
 * /etc/fake-kubelet-version   text for --version (default v1.33.1)
 * /etc/kubelet-faults         lines: FAULT [SECONDS] [when KEY=VALUE], FAULT one of
 *   refuse | die-after SECONDS | never-healthy | healthy-after SECONDS (nothing listens until then)
 *   KEY streamingConnectionIdleTimeout is the effective value as Go prints it; with `file.` before it,
 *   the value as the files have it (empty: absent).
 */
#define _GNU_SOURCE
#include "kubelet-config.h"
#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

static const ns_t DEFAULT_TIMEOUT = 4 * 3600 * SECOND;

static volatile sig_atomic_t stopping;
static void on_stop(int signal) { (void)signal; stopping = 1; }

/* ---- Flags ---------------------------------------------------------------------------------- */

/* After a name: `!` marks a boolean. Enough names for the layouts seen on real nodes. */
static const char *FLAGS =
    " address anonymous-auth! authentication-token-webhook! authorization-mode bootstrap-kubeconfig cert-dir cgroup-driver cgroups-per-qos! client-ca-file"
    " cloud-config cloud-provider cluster-dns cluster-domain config config-dir container-log-max-files container-log-max-size container-runtime"
    " container-runtime-endpoint cpu-manager-policy enable-controller-attach-detach! enable-debugging-handlers! enable-server! event-qps eviction-hard"
    " fail-swap-on! feature-gates healthz-bind-address healthz-port help! hostname-override image-credential-provider-bin-dir"
    " image-credential-provider-config image-gc-high-threshold image-gc-low-threshold keep-terminated-pod-volumes! kube-api-burst kube-api-qps"
    " kube-reserved kubeconfig log-flush-frequency logging-format make-iptables-util-chains! max-pods network-plugin node-ip node-labels node-status-update-frequency"
    " pod-cidr pod-infra-container-image pod-manifest-path pod-max-pids port protect-kernel-defaults! provider-id read-only-port register-node!"
    " register-with-taints resolv-conf root-dir rotate-certificates! rotate-server-certificates! runtime-cgroups runtime-request-timeout seccomp-default!"
    " serialize-image-pulls! streaming-connection-idle-timeout system-cgroups system-reserved tls-cert-file tls-cipher-suites tls-min-version"
    " tls-private-key-file v version volume-plugin-dir vmodule ";

struct flags { char *config, *config_dir, *timeout, *port, *address; bool version, help; };

/* 0 unknown, 1 takes a value, 2 boolean. */
static int kind_of_flag(const char *name) {
    char search[160];
    snprintf(search, sizeof search, " %s!", name);
    if (strstr(FLAGS, search)) return 2;
    size_t n = strlen(search);
    search[n - 1] = ' ';
    return *name && strstr(FLAGS, search) ? 1 : 0;
}

static void set_flag(struct flags *flags, const char *name, char *value) {
    ns_t ignored;
    if (!strcmp(name, "config")) flags->config = value;
    else if (!strcmp(name, "config-dir")) flags->config_dir = value;
    else if (!strcmp(name, "healthz-port")) flags->port = value;
    else if (!strcmp(name, "healthz-bind-address")) flags->address = value;
    else if (!strcmp(name, "version")) flags->version = strcmp(value, "false") != 0;
    else if (!strcmp(name, "help")) flags->help = true;
    else if (!strcmp(name, "streaming-connection-idle-timeout")) {
        if (!parse_duration(value, &ignored)) fail("failed to parse kubelet flag: invalid argument \\\"%s\\\" for \\\"--%s\\\" flag: time: invalid duration \\\"%s\\\"", value, name, value);
        flags->timeout = value;
        say("Flag --%s has been deprecated, This parameter should be set via the config file specified by the Kubelet's --config flag.", name);
    }
}

static void parse_flags(int argc, char **argv, struct flags *flags) {
    const char *positional = NULL;
    for (int i = 1; i < argc; i++) {
        char *word = argv[i];
        if (*word != '-' || !word[1]) { if (!positional) positional = word; continue; }
        if (!strcmp(word, "--")) { if (i + 1 < argc && !positional) positional = argv[i + 1]; break; }
        char name[128], *equals = strchr(word, '=');
        if (word[1] != '-') {
            if (word[1] == 'h') { flags->help = true; continue; }
            if (word[1] != 'v') fail("failed to parse kubelet flag: unknown shorthand flag: '%c' in %s", word[1], word);
            if (!word[2] && ++i >= argc) fail("failed to parse kubelet flag: flag needs an argument: 'v' in -v");
            continue;
        }
        snprintf(name, sizeof name, "%.*s", equals ? (int)(equals - word - 2) : 127, word + 2);
        for (char *c = name; *c; c++) if (*c == '_') *c = '-';
        int kind = kind_of_flag(name);
        if (!kind) fail("failed to parse kubelet flag: unknown flag: --%s", name);
        if (equals) {
            bool truth = strspn(equals + 1, "truefalseTRUEFALSE01") == strlen(equals + 1) && equals[1];
            if (kind == 2 && !truth) fail("failed to parse kubelet flag: invalid argument \\\"%s\\\" for \\\"--%s\\\" flag: strconv.ParseBool", equals + 1, name);
            set_flag(flags, name, equals + 1);
        } else if (kind == 2 || !strcmp(name, "version")) set_flag(flags, name, "true");
        else if (++i < argc) set_flag(flags, name, argv[i]);
        else fail("failed to parse kubelet flag: flag needs an argument: --%s", name);
    }
    if (positional) fail("unknown command %s", positional);
}

/* ---- Faults --------------------------------------------------------------------------------- */

struct faults { double die_after, healthy_after; bool refuse, never_healthy; };

static void read_faults(struct faults *faults, const char *effective, const char *written) {
    *faults = (struct faults){.die_after = -1};
    char *text = read_text("/etc/kubelet-faults"), *save = NULL;
    for (char *line = text ? strtok_r(text, "\n", &save) : NULL; line; line = strtok_r(NULL, "\n", &save)) {
        char *when = strstr(line, " when ");
        if (when) {
            bool of_file = !strncmp(when + 6, "file.", 5);
            char *value = strchr(when, '=');
            if (!value || strcmp(value + 1, of_file ? written : effective)) continue;
        }
        if (!strncmp(line, "refuse", 6)) faults->refuse = true;
        if (!strncmp(line, "never-healthy", 13)) faults->never_healthy = true;
        sscanf(line, "die-after %lf", &faults->die_after);
        sscanf(line, "healthy-after %lf", &faults->healthy_after);
    }
    free(text);
}

/* ---- Serving -------------------------------------------------------------------------------- */

static int listen_on(const char *address, long port) {
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_port = htons((unsigned short)port)};
    if (!inet_pton(AF_INET, address, &at.sin_addr)) fail("failed to validate kubelet configuration, error: healthzBindAddress (--healthz-bind-address) %s must be an IPv4 address here", address);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0), yes = 1;
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
    if (!bind(fd, (struct sockaddr *)&at, sizeof at) && !listen(fd, 64)) return fd;
    say("E0101 00:00:00.000000 server.go] \"Failed to start healthz server\" err=\"listen tcp %s:%ld: %s\"", address, port, strerror(errno));
    close(fd);
    return -1;
}

static void answer(int listener, bool healthy, const char *configz) {
    int fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
    if (fd < 0) return;
    struct timeval patience = {.tv_sec = 1};
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    char request[4096] = "", reply[2048];
    size_t n = 0;
    for (ssize_t got; n < sizeof request - 1 && !strstr(request, "\r\n\r\n") && (got = recv(fd, request + n, sizeof request - 1 - n, 0)) > 0;) request[n += got] = 0;
    const char *body = "404 page not found\n", *status = "404 Not Found";
    if (!strncmp(request, "GET /healthz ", 13)) { body = healthy ? "ok" : "[-]syncloop failed\nhealthz check failed\n"; status = healthy ? "200 OK" : "500 Internal Server Error"; }
    if (!strncmp(request, "GET /configz ", 13)) { body = configz; status = "200 OK"; }
    int length = snprintf(reply, sizeof reply, "HTTP/1.1 %s\r\nContent-Type: text/plain\r\nConnection: close\r\nContent-Length: %zu\r\n\r\n%s", status, strlen(body), body);
    if (send(fd, reply, length, MSG_NOSIGNAL) < 0) say("a client went away");
    close(fd);
}

static void notify_ready(void) {
    const char *path = getenv("NOTIFY_SOCKET");
    struct sockaddr_un to = {.sun_family = AF_UNIX};
    if (!path || strlen(path) >= sizeof to.sun_path) return;
    strcpy(to.sun_path, path);
    if (*to.sun_path == '@') *to.sun_path = 0;
    int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    sendto(fd, "READY=1", 7, MSG_NOSIGNAL, (struct sockaddr *)&to, offsetof(struct sockaddr_un, sun_path) + strlen(path));
    close(fd);
}

static double now(void) {
    struct timespec at;
    clock_gettime(CLOCK_MONOTONIC, &at);
    return (double)at.tv_sec + (double)at.tv_nsec / 1e9;
}

static int serve(const char *address, long port, const struct faults *faults, const char *configz) {
    double started = now();
    int listener = -1;
    /* A signal is taken only inside ppoll: none can slip in between the look at `stopping` and the wait. */
    sigset_t stops, unblocked;
    sigemptyset(&stops);
    sigaddset(&stops, SIGTERM);
    sigaddset(&stops, SIGINT);
    sigprocmask(SIG_BLOCK, &stops, &unblocked);
    for (bool ready = false; !stopping;) {
        double age = now() - started;
        if (faults->die_after >= 0 && age >= faults->die_after) fail("failed to run Kubelet: the lab's fault made it die");
        if (!ready && age >= faults->healthy_after) {
            if (port) listener = listen_on(address, port);
            say("I0101 00:00:00.000000 server.go] \"Started kubelet\"");
            notify_ready();
            ready = true;
        }
        struct pollfd wait = {.fd = listener, .events = POLLIN};
        struct timespec tick = {.tv_nsec = 50 * 1000000};
        bool timed = !ready || faults->die_after >= 0;
        if (ppoll(&wait, 1, timed ? &tick : NULL, &unblocked) > 0) answer(listener, !faults->never_healthy, configz);
    }
    return 0;
}

/* ---- What it runs with: file, drop-ins, defaults, then flags again ---------------------------- */

static const char *TYPE_NAMES[] = {"nothing", "null", "bool", "number", "string", "object"};

static ns_t duration_of(const struct value *value) {
    ns_t result = 0;
    if (value->type == ABSENT) return 0;
    if (value->type != STRING && value->type != NUL)
        fail("failed to load kubelet config file, error: failed to decode: json: cannot unmarshal %s into Go struct field KubeletConfiguration.streamingConnectionIdleTimeout of type string", TYPE_NAMES[value->type]);
    const char *text = value->type == STRING ? value->text : "";
    if (!parse_duration(text, &result)) fail("failed to load kubelet config file, error: failed to decode: time: invalid duration \\\"%s\\\"", text);
    return result;
}

static long port_of(const struct value *value) {
    char *end;
    if (value->type == ABSENT || value->type == NUL) return 10248;
    long port = strtol(value->text, &end, 10);
    if (value->type != NUMBER || *end) fail("failed to load kubelet config file, error: failed to decode: json: cannot unmarshal %s into Go struct field KubeletConfiguration.healthzPort of type int32", TYPE_NAMES[value->type]);
    return port;
}

int main(int argc, char **argv) {
    struct flags flags = {0};
    struct faults faults;
    config merged = {0};
    char *version = read_text("/etc/fake-kubelet-version"), configz[1024], effective[64];
    if (version) version[strcspn(version, "\r\n")] = 0;
    else version = "v1.33.1";
    parse_flags(argc, argv, &flags);
    if (flags.version) { printf("Kubernetes %s\n", version); return 0; }
    if (flags.help) { printf("Usage:\n  kubelet [flags]\n\n      --streaming-connection-idle-timeout duration   Maximum time a streaming connection can be idle (default 4h0m0s)\n"); return 0; }

    bool has_file = flags.config && *flags.config, has_dir = flags.config_dir && *flags.config_dir;
    if (has_file) load_file(flags.config, "config file", merged);
    ns_t timeout = duration_of(&merged[TIMEOUT]);
    if (timeout == 0) timeout = DEFAULT_TIMEOUT;
    if (has_dir) {
        int minor = 33;
        sscanf(version, "v1.%d", &minor);
        merge_directory(flags.config_dir, merged);
        ns_t merged_timeout = duration_of(&merged[TIMEOUT]);
        bool defaulted = minor >= 32 || merged[TIMEOUT].type == ABSENT;
        timeout = merged_timeout == 0 && defaulted ? DEFAULT_TIMEOUT : merged_timeout;
    }
    if (flags.timeout) parse_duration(flags.timeout, &timeout);
    long port = flags.port ? strtol(flags.port, NULL, 10) : port_of(&merged[HEALTHZ_PORT]);
    const char *address = flags.address ? flags.address : merged[HEALTHZ_ADDRESS].type == STRING && *merged[HEALTHZ_ADDRESS].text ? merged[HEALTHZ_ADDRESS].text : "127.0.0.1";
    snprintf(effective, sizeof effective, "%s", print_duration(timeout));
    snprintf(configz, sizeof configz, "{\"kubeletconfig\":{\"streamingConnectionIdleTimeout\":\"%s\",\"healthzPort\":%ld,\"healthzBindAddress\":\"%s\"}}", effective, port, address);

    read_faults(&faults, effective, merged[TIMEOUT].type == ABSENT ? "" : merged[TIMEOUT].text);
    if (faults.refuse) fail("failed to run Kubelet: the lab's fault made it refuse its configuration");
    struct sigaction stop = {.sa_handler = on_stop};
    sigaction(SIGTERM, &stop, NULL);
    sigaction(SIGINT, &stop, NULL);
    say("I0101 00:00:00.000000 server.go] \"Kubelet version\" kubeletVersion=\"%s\"", version);
    return serve(address, port, &faults, configz);
}
