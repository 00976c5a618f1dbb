/* What a kubelet's configuration files and durations say. Reads files, changes nothing; a bad file ends the process as the real one does. */
#pragma once
#include <stdbool.h>

typedef long long ns_t;
static const ns_t SECOND = 1000000000LL;

enum key { API_VERSION, KIND, TIMEOUT, HEALTHZ_PORT, HEALTHZ_ADDRESS, KEYS };
enum type { ABSENT, NUL, BOOL, NUMBER, STRING, COMPOUND };
struct value { enum type type; char text[256]; };
typedef struct value config[KEYS];

/* The shape of a real kubelet's last words; exit status 1. */
void __attribute__((noreturn, format(printf, 1, 2))) fail(const char *format, ...);
/* One line on standard error. */
void __attribute__((format(printf, 1, 2))) say(const char *format, ...);

/* Go's time.ParseDuration; false: not a duration. */
bool parse_duration(const char *text, ns_t *out);
/* Go's Duration.String(); in a buffer that the next call overwrites. */
const char *print_duration(ns_t value);
/* A whole file, ended by NUL; NULL: errno says why. */
char *read_text(const char *path);
/* The known keys of a file, JSON or YAML by content; `what` is for the message. */
void load_file(const char *path, const char *what, config out);
/* Every *.conf below a directory, depth first, in byte order, as merge patches. */
void merge_directory(const char *path, config into);
