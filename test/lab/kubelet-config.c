/* Part of the stand-in kubelet (kubelet.c): Go durations, JSON, the needed part of YAML, files and drop-ins. */
#define _GNU_SOURCE
#include "kubelet-config.h"
#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const char *KEY_NAMES[KEYS] = {"apiVersion", "kind", "streamingConnectionIdleTimeout", "healthzPort", "healthzBindAddress"};

void say(const char *format, ...) {
    va_list args;
    va_start(args, format);
    vfprintf(stderr, format, args);
    va_end(args);
    fputc('\n', stderr);
}

void fail(const char *format, ...) {
    char text[1024];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    say("E0101 00:00:00.000000 %8d run.go:74] \"command failed\" err=\"%s\"", getpid(), text);
    exit(1);
}

/* ---- Go durations ------------------------------------------------------------------------- */
static ns_t unit_of(const char **p) {
    static const struct { const char *name; ns_t ns; } units[] = {
        {"ns", 1}, {"us", 1000}, {"\xc2\xb5s", 1000}, {"\xce\xbcs", 1000}, {"ms", 1000000}, {"s", 1000000000LL}, {"m", 60000000000LL}, {"h", 3600000000000LL}};
    const char *end = *p;
    while (*end && *end != '.' && !isdigit((unsigned char)*end)) end++;
    for (size_t i = 0; i < sizeof units / sizeof *units; i++)
        if (strlen(units[i].name) == (size_t)(end - *p) && !strncmp(units[i].name, *p, end - *p)) { *p = end; return units[i].ns; }
    return 0;
}

bool parse_duration(const char *text, ns_t *out) {
    const char *p = text;
    bool negative = *p == '-';
    if (*p == '-' || *p == '+') p++;
    if (!strcmp(p, "0")) { *out = 0; return true; }
    if (!*p) return false;
    __int128 total = 0;
    while (*p) {
        __int128 whole = 0, part = 0, scale = 1;
        int digits = 0;
        for (; isdigit((unsigned char)*p); p++, digits++) if ((whole = whole * 10 + (*p - '0')) > LLONG_MAX) return false;
        if (*p == '.') for (p++; isdigit((unsigned char)*p); p++, digits++) if (scale < SECOND) { part = part * 10 + (*p - '0'); scale *= 10; }
        if (!digits) return false;
        ns_t unit = unit_of(&p);
        if (!unit) return false;
        total += whole * unit + part * unit / scale;
        if (total > LLONG_MAX) return false;
    }
    *out = (ns_t)(negative ? -total : total);
    return true;
}

const char *print_duration(ns_t value) {
    static char text[64];
    if (value == 0) return "0s";
    unsigned long long left = value < 0 ? -(unsigned long long)value : (unsigned long long)value;
    char *at = text + sprintf(text, "%s", value < 0 ? "-" : "");
    unsigned long long unit = left >= 1000000000ULL ? 1000000000ULL : left >= 1000000 ? 1000000 : left >= 1000 ? 1000 : 1;
    const char *name = unit == 1000000000ULL ? "s" : unit == 1000000 ? "ms" : unit == 1000 ? "\xc2\xb5s" : "ns";
    unsigned long long whole = left / unit, hours = 0, minutes = 0;
    if (*name == 's') { hours = whole / 3600; minutes = whole / 60 % 60; whole %= 60; }
    if (hours) at += sprintf(at, "%lluh", hours);
    if (hours || minutes) at += sprintf(at, "%llum", minutes);
    at += sprintf(at, "%llu", whole);
    char fraction[24];
    sprintf(fraction, "%09llu", left % unit * (1000000000ULL / unit));
    for (int i = 8; i >= 0 && fraction[i] == '0'; i--) fraction[i] = 0;
    sprintf(at, "%s%s%s", *fraction ? "." : "", fraction, name);
    return text;
}

/* ---- JSON, and YAML's flow form of it (comments, trailing comma) ----------------------------- */
struct reader { const char *p; bool flow; };

static void skip_blank(struct reader *r) {
    for (;;) {
        while (*r->p && strchr(" \t\r\n", *r->p)) r->p++;
        if (!r->flow || *r->p != '#') return;
        while (*r->p && *r->p != '\n') r->p++;
    }
}

static bool read_json(struct reader *r, struct value *out, config top);

static bool read_string(struct reader *r, char *out, size_t size) {
    size_t n = 0;
    if (*r->p++ != '"') return false;
    for (; *r->p != '"'; r->p++) {
        char c = *r->p;
        if ((unsigned char)c < 0x20) return false;
        if (c == '\\') {
            static const char from[] = "\"\\/bfnrt", to[] = "\"\\/\b\f\n\r\t";
            c = *++r->p;
            const char *found = c ? strchr(from, c) : NULL;
            if (found) c = to[found - from];
            else if (c == 'u') {
                char hex[5] = "";
                for (int i = 0; i < 4; i++) if (!isxdigit((unsigned char)(hex[i] = *++r->p))) return false;
                long code = strtol(hex, NULL, 16);
                c = code < 0x80 ? (char)code : '?';
            } else return false;
        }
        if (n + 1 < size) out[n++] = c;
    }
    out[n] = 0;
    r->p++;
    return true;
}

static bool read_compound(struct reader *r, config top) {
    char close = *r->p++ == '{' ? '}' : ']';
    for (bool first = true;; first = false) {
        skip_blank(r);
        if (*r->p == close) { if (!first && !r->flow) return false; r->p++; return true; }
        char name[256] = "";
        if (close == '}') {
            if (!read_string(r, name, sizeof name)) return false;
            skip_blank(r);
            if (*r->p++ != ':') return false;
            skip_blank(r);
        }
        struct value ignored, *slot = &ignored;
        for (int k = 0; top && k < KEYS; k++) if (!strcmp(name, KEY_NAMES[k])) slot = &top[k];
        if (!read_json(r, slot, NULL)) return false;
        skip_blank(r);
        if (*r->p == close) { r->p++; return true; }
        if (*r->p++ != ',') return false;
    }
}

static bool read_json(struct reader *r, struct value *out, config top) {
    if (*r->p == '"') { out->type = STRING; return read_string(r, out->text, sizeof out->text); }
    if (*r->p == '{' || *r->p == '[') { out->type = COMPOUND; return read_compound(r, top); }
    size_t n = strcspn(r->p, ",]} \t\r\n#");
    if (n == 0 || n >= sizeof out->text) return false;
    memcpy(out->text, r->p, n);
    out->text[n] = 0;
    r->p += n;
    char *end;
    strtod(out->text, &end);
    if (!strcmp(out->text, "null")) out->type = NUL;
    else if (!strcmp(out->text, "true") || !strcmp(out->text, "false")) out->type = BOOL;
    else if (!*end && (isdigit((unsigned char)*out->text) || *out->text == '-')) out->type = NUMBER;
    else return false;
    return true;
}

/* ---- YAML: the top level of a block mapping ------------------------------------------------- */
static void scalar_type(struct value *out) {
    static const char *bools[] = {"true", "false", "yes", "no", "on", "off", "True", "False", "Yes", "No", "On", "Off", NULL};
    char *end;
    strtod(out->text, &end);
    out->type = !*out->text || !strcmp(out->text, "null") || !strcmp(out->text, "~") ? NUL : !*end ? NUMBER : STRING;
    for (int i = 0; bools[i]; i++) if (!strcmp(out->text, bools[i])) out->type = BOOL;
}

static bool read_scalar(char *text, struct value *out) {
    text += strspn(text, " ");
    bool tagged = !strncmp(text, "!!str ", 6);
    if (tagged) text += 6 + strspn(text + 6, " ");
    if (*text == '"' || *text == '\'') {
        char *close = strchr(text + 1, *text);
        if (!close || (close[1] && close[1 + strspn(close + 1, " ")] && close[1 + strspn(close + 1, " ")] != '#')) return false;
        *close = 0;
        snprintf(out->text, sizeof out->text, "%s", text + 1);
        out->type = STRING;
        return true;
    }
    if (*text == '#') *text = 0;
    char *comment = strstr(text, " #");
    if (comment) *comment = 0;
    for (size_t n = strlen(text); n && text[n - 1] == ' '; n--) text[n - 1] = 0;
    snprintf(out->text, sizeof out->text, "%s", text);
    if (*text == '{' || *text == '[') out->type = COMPOUND;
    else scalar_type(out);
    if (tagged) out->type = STRING;
    return true;
}

static bool read_yaml(const char *text, config top) {
    char *copy = strdup(text), *save = NULL, *awaiting = NULL;
    bool ok = true;
    for (char *line = strtok_r(copy, "\n", &save); ok && line; line = strtok_r(NULL, "\n", &save)) {
        size_t n = strlen(line);
        if (n && line[n - 1] == '\r') line[n - 1] = 0;
        if (!strncmp(line, "---", 3)) { if (awaiting) break; else continue; }
        if (!*line || *line == '#') continue;
        if (*line == '\t') { ok = false; break; }
        bool nested = *line == ' ' || *line == '-';
        if (nested) { ok = awaiting != NULL; if (line[strspn(line, " ")] == '\t') ok = false; continue; }
        char *colon = strchr(line, ':');
        if (!colon || (colon[1] && colon[1] != ' ')) { ok = false; break; }
        *colon = 0;
        awaiting = line;
        char *name = line;
        if (*name == '"' || *name == '\'') { name++; name[strcspn(name, "\"'")] = 0; }
        struct value read;
        ok = read_scalar(colon + 1, &read);
        for (int k = 0; ok && k < KEYS; k++) if (!strcmp(name, KEY_NAMES[k])) top[k] = read;
    }
    free(copy);
    return ok;
}

/* ---- Files ---------------------------------------------------------------------------------- */
char *read_text(const char *path) {
    FILE *file = fopen(path, "re");
    char *text = NULL;
    size_t size = 0;
    /* Files have no NUL, so one getdelim reads all of it. */
    if (file && getdelim(&text, &size, 0, file) < 0 && feof(file) && text) *text = 0;
    bool failed = !file || ferror(file);
    if (file) fclose(file);
    return failed ? NULL : text;
}

static bool parse_config(const char *text, config out) {
    const char *start = text + strspn(text, " \t\r\n");
    struct reader reader = {start, false};
    if (*start != '{') {
        if (!strncmp(start, "\xef\xbb\xbf", 3)) start += 3;
        reader = (struct reader){start, true};
        skip_blank(&reader);
        if (!strncmp(reader.p, "---", 3) && strchr(" \r\n", reader.p[3])) { reader.p += 3; skip_blank(&reader); }
        if (*reader.p != '{') return read_yaml(start, out);
    }
    struct value whole;
    if (!read_json(&reader, &whole, out)) return false;
    skip_blank(&reader);
    return !*reader.p;
}

void load_file(const char *path, const char *what, config out) {
    char *text = read_text(path);
    if (!text) fail("failed to load kubelet %s, path: %s, error: failed to read: %s", what, path, strerror(errno));
    if (!text[strspn(text, " \t\r\n")]) fail("failed to load kubelet %s, path: %s, error: kubelet config file was empty", what, path);
    if (!parse_config(text, out)) fail("failed to load kubelet %s, path: %s, error: failed to decode: error converting YAML to JSON or invalid JSON", what, path);
    if (out[API_VERSION].type != STRING || strcmp(out[API_VERSION].text, "kubelet.config.k8s.io/v1beta1") || out[KIND].type != STRING || strcmp(out[KIND].text, "KubeletConfiguration"))
        fail("failed to load kubelet %s, path: %s, error: no kind or version KubeletConfiguration kubelet.config.k8s.io/v1beta1 is registered", what, path);
    free(text);
}

static int by_name(const void *a, const void *b) { return strcmp(*(char *const *)a, *(char *const *)b); }

/* Depth first, names in byte order; a null in a drop-in takes the key away (merge patch). */
void merge_directory(const char *path, config into) {
    struct stat info;
    if (lstat(path, &info)) fail("failed to merge kubelet configs: failed to walk through kubelet dropin directory \\\"%s\\\": lstat %s: %s", path, path, strerror(errno));
    DIR *dir = S_ISDIR(info.st_mode) ? opendir(path) : NULL;
    if (!dir) return;
    char *names[1024];
    size_t count = 0;
    for (struct dirent *entry; count < 1024 && (entry = readdir(dir));)
        if (strcmp(entry->d_name, ".") && strcmp(entry->d_name, "..")) names[count++] = strdup(entry->d_name);
    closedir(dir);
    qsort(names, count, sizeof *names, by_name);
    for (size_t i = 0; i < count; i++) {
        char full[PATH_MAX];
        snprintf(full, sizeof full, "%s/%s", path, names[i]);
        const char *dot = strrchr(names[i], '.');
        if (!lstat(full, &info) && S_ISDIR(info.st_mode)) merge_directory(full, into);
        else if (dot && !strcmp(dot, ".conf")) {
            config piece = {0};
            load_file(full, "drop-in file", piece);
            for (int k = 0; k < KEYS; k++) {
                if (piece[k].type == NUL) into[k].type = ABSENT;
                else if (piece[k].type != ABSENT) into[k] = piece[k];
            }
        }
        free(names[i]);
    }
}
