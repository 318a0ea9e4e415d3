/*
 * The evidence package: a good one passes with our verification and with verify.sh under a plain
 * shell, and whatever is changed in it fails with both, whether the sums were made to fit or not.
 */
#include "../audit/desk.h"

#include "base/file.h"
#include "package/embed.h"
#include "package/package.h"

#include <dirent.h>
#include <sys/wait.h>

static char *in_net(struct desk *d, const char *name)
{
    char *path = file_path(d->l->net.dir, name);
    assert_non_null(path);
    return path;
}

/* NET.network, as the authority hands it out. */
static char *network_file(struct desk *d)
{
    struct buf text = BUF_INIT;
    char *path = in_net(d, "test-net.network");
    network_put(&text, &d->l->net.network);
    OK(file_write(path, buf_bytes(&text), 0644));
    buf_free(&text);
    return path;
}

static struct package_plan plan_of(struct desk *d, const char *ref, const char *out)
{
    life_rest(d->l);
    return (struct package_plan){.site = d->hangzhou->dir,
                                 .ref = ref,
                                 .out = out,
                                 .anchor = &d->l->net.network,
                                 .officer = d->wang.signer,
                                 .now_ms = 1800001000000};
}

static char *make_package(struct desk *d, const char *name)
{
    char ref[32];
    struct buf detail = BUF_INIT;
    char *out = in_net(d, name);
    snprintf(ref, sizeof ref, "%llu", (unsigned long long)d->evidence);
    const struct package_plan plan = plan_of(d, ref, out);
    int err = package_make(&plan, &detail);
    if (err)
        fail_msg("%s: %s", comity_err_token(err), buf_str(&detail));
    buf_free(&detail);
    return out;
}

/* What verify.sh says, under dash, with nothing in its PATH but what it may use; its exit code. */
static int run_script(struct desk *d, const char *package, const char *arguments, struct buf *out)
{
    struct buf command = BUF_INIT;
    char chunk[4096];
    size_t n = 0;
    char *tools = in_net(d, "tools");
    if (access(tools, F_OK) != 0) {
        buf_printf(
            &command,
            "mkdir '%s' && for t in dash openssl sha256sum base64 od cat mkdir rm dirname; do"
            " ln -s \"$(command -v $t)\" '%s/'; done",
            tools, tools);
        assert_int_equal(system(buf_str(&command)), 0);
        buf_reset(&command);
    }
    buf_printf(&command, "cd / && PATH='%s' TMPDIR='%s' dash '%s/verify.sh' %s 2>&1", tools,
               d->l->net.dir, package, arguments);
    FILE *pipe = popen(buf_str(&command), "r");
    assert_non_null(pipe);
    while ((n = fread(chunk, 1, sizeof chunk, pipe)) > 0)
        buf_put(out, chunk, n);
    int status = pclose(pipe);
    buf_free(&command);
    free(tools);
    return WEXITSTATUS(status);
}

/* Our checks in the words of verify.sh. */
static void put_checks(struct buf *out, const json_t *report)
{
    size_t i = 0;
    json_t *c = NULL;
    json_array_foreach(json_object_get(report, "checks"), i, c)
    {
        const json_t *ok = json_object_get(c, "ok");
        buf_printf(out, "%s %s %s\n",
                   json_is_true(ok)   ? "ok"
                   : json_is_null(ok) ? "open"
                                      : "FAIL",
                   text_of(c, "check"), text_of(c, "what"));
    }
}

/* Both verifications; the lines of verify.sh but its last must be ours when ${same_lines}. Returns
 * the exit code. */
static int verify_both(struct desk *d, const char *package, bool same_lines)
{
    struct buf said = BUF_INIT;
    struct buf ours = BUF_INIT;
    json_t *report = NULL;
    char *network = network_file(d);
    OK(package_verify(package, &d->l->net.network, &report));
    put_checks(&ours, report);
    int code = (int)number_of(report, "exit");
    int theirs = run_script(d, package, network, &said);
    if (theirs != code || (same_lines && strncmp(buf_str(&said), buf_str(&ours), ours.len) != 0)) {
        fprintf(stderr, "---- verify.sh (%d)\n%s---- package_verify (%d)\n%s", theirs,
                buf_str(&said), code, buf_str(&ours));
        fail_msg("the two do not agree");
    }
    buf_free(&said);
    buf_free(&ours);
    json_decref(report);
    free(network);
    return code;
}

/* As verify_both, for many packages: the script has nothing in it that sanitizers could see, and
 * takes its time. */
static int verdict_on(struct desk *d, const char *package)
{
#ifdef __SANITIZE_ADDRESS__
    json_t *report = NULL;
    OK(package_verify(package, &d->l->net.network, &report));
    int code = (int)number_of(report, "exit");
    json_decref(report);
    return code;
#else
    return verify_both(d, package, false);
#endif
}

/* ---- changing a package ---- */

/* All files of the package, below ${dir}. */
static void list_files(const char *root, const char *below, char (*ret)[512], size_t *n)
{
    char path[1600];
    snprintf(path, sizeof path, "%s/%s", root, below);
    DIR *dir = opendir(path);
    assert_non_null(dir);
    for (struct dirent *e = NULL; (e = readdir(dir));) {
        char inner[512];
        struct stat st;
        if (e->d_name[0] == '.')
            continue;
        snprintf(inner, sizeof inner, "%s%s%s", below, *below ? "/" : "", e->d_name);
        snprintf(path, sizeof path, "%s/%s", root, inner);
        assert_int_equal(stat(path, &st), 0);
        if (S_ISDIR(st.st_mode))
            list_files(root, inner, ret, n);
        else
            snprintf(ret[(*n)++], 512, "%s", inner);
        assert_true(*n < 128);
    }
    closedir(dir);
}

static void flip(const char *root, const char *name)
{
    struct buf content = BUF_INIT;
    char path[1600];
    snprintf(path, sizeof path, "%s/%s", root, name);
    OK(file_read(path, 1 << 24, &content));
    assert_true(content.len > 0);
    content.data[content.len / 2] ^= 1;
    OK(file_write(path, buf_bytes(&content), 0644));
    buf_free(&content);
}

/* Make the sums fit again, and seal them with the officer's own key: only what the files themselves
 * prove is left. */
static void seal_again(struct desk *d, const char *root)
{
    char names[128][512];
    size_t n = 0;
    struct buf sums = BUF_INIT;
    struct buf text = BUF_INIT;
    struct buf note = BUF_INIT;
    struct package_seal s = {.origin = bytes_of(d->hangzhou->origin), .time_ms = 1800002000000};
    char path[1600];
    list_files(root, "", names, &n);
    qsort(names, n, sizeof names[0], (int (*)(const void *, const void *))strcmp);
    for (size_t i = 0; i < n; i++) {
        struct buf content = BUF_INIT;
        struct hash h;
        if (strncmp(names[i], "SHA256SUMS", 10) == 0)
            continue;
        snprintf(path, sizeof path, "%s/%s", root, names[i]);
        OK(file_read(path, 1 << 24, &content));
        hash_of(the_suite(), &h, buf_bytes(&content));
        text_put_hex(&sums, hash_bytes(&h));
        buf_printf(&sums, "  %s\n", names[i]);
        buf_free(&content);
    }
    hash_of(the_suite(), &s.sums, buf_bytes(&sums));
    OK(package_put_text(&text, &s));
    OK(note_sign(d->wang.signer, buf_bytes(&text), &note));
    snprintf(path, sizeof path, "%s/SHA256SUMS", root);
    OK(file_write(path, buf_bytes(&sums), 0644));
    snprintf(path, sizeof path, "%s/SHA256SUMS.note", root);
    OK(file_write(path, buf_bytes(&note), 0644));
    buf_free(&sums);
    buf_free(&text);
    buf_free(&note);
}

static void copy_folder(const char *from, const char *to)
{
    char command[1200];
    snprintf(command, sizeof command, "rm -rf '%s' && cp -r '%s' '%s'", to, from, to);
    assert_int_equal(system(command), 0);
}

/* ---- good ones ---- */

static void package_good_passes_with_both(void **state)
{
    struct desk *d = *state;
    char *path = make_package(d, "package");
    assert_int_equal(verify_both(d, path, true), 0);
    free(path);
}

static void package_zip_passes_and_holds_the_same(void **state)
{
    struct desk *d = *state;
    char *path = make_package(d, "evidence.zip");
    json_t *report = NULL;
    OK(package_verify(path, &d->l->net.network, &report));
    assert_string_equal(text_of(report, "verdict"), "authentic");
    assert_int_equal(number_of(json_object_get(report, "record"), "index"), d->evidence);
    assert_int_equal(json_array_size(json_object_get(report, "signatures")), 2);
    assert_int_equal(json_array_size(json_object_get(report, "receipts")), 1);
    assert_int_equal(json_array_size(json_object_get(report, "files")), 2);
    assert_string_equal(text_of(json_object_get(report, "sealed_by"), "licence"), WANG);
    json_decref(report);
    char command[900];
    snprintf(command, sizeof command,
             "cd '%s' && mkdir unpacked && cd unpacked && python3 -m zipfile -e '%s' .",
             d->l->net.dir, path);
    assert_int_equal(system(command), 0);
    free(path);
    path = in_net(d, "unpacked");
    assert_int_equal(verify_both(d, path, true), 0);
    free(path);
}

static void package_without_the_authority_is_open_and_shows_its_keys(void **state)
{
    struct desk *d = *state;
    struct buf said = BUF_INIT;
    char *path = make_package(d, "package");
    assert_int_equal(run_script(d, path, "", &said), 11);
    assert_non_null(strstr(buf_str(&said), "open authority roster.note\n"));
    assert_non_null(strstr(buf_str(&said), "test-net/authority+"));
    buf_free(&said);
    free(path);
}

static void package_under_another_authority_fails_with_both(void **state)
{
    struct desk *d = *state;
    uint8_t seed[32] = {9};
    struct note_signer *other = NULL;
    char *path = make_package(d, "package");
    OK(note_signer_new("test-net/authority", seed, &other));
    d->l->net.network.authority[0] = *note_signer_public(other);
    assert_int_equal(verify_both(d, path, true), 10);
    json_t *report = NULL;
    OK(package_verify(path, &d->l->net.network, &report));
    assert_true(json_is_true(json_object_get(report, "other_keys")));
    json_decref(report);
    note_signer_free(other);
    free(path);
}

static void package_of_a_received_record_passes_with_both(void **state)
{
    struct desk *d = *state;
    struct officer sealer;
    char ref[64];
    char command[900];
    struct buf detail = BUF_INIT;
    enrol(d->l, &sealer, d->shenzhen, "44030000001", OFFICER_OFFICER);
    snprintf(command, sizeof command, "cp -r '%s/files' '%s/files'", d->hangzhou->dir,
             d->shenzhen->dir);
    assert_int_equal(system(command), 0);
    char *out = in_net(d, "received");
    snprintf(ref, sizeof ref, "330100-001/%llu", (unsigned long long)d->evidence);
    struct package_plan plan = plan_of(d, ref, out);
    plan.site = d->shenzhen->dir;
    plan.officer = sealer.signer;
    int err = package_make(&plan, &detail);
    if (err)
        fail_msg("%s: %s", comity_err_token(err), buf_str(&detail));
    assert_int_equal(verify_both(d, out, true), 0);
    char *receipt = file_path(out, "receipts/440300-001/entry.bin");
    assert_int_equal(access(receipt, F_OK), 0);
    free(receipt);
    free(out);
    buf_free(&detail);
    note_signer_free(sealer.signer);
}

static void package_of_evidence_with_one_collector_is_open_with_both(void **state)
{
    struct desk *d = *state;
    const struct drafted e = draft_evidence(d->hangzhou, d->arena);
    const struct bytes note =
        sign_record(&d->wang, d->hangzhou->origin, SIGNATURE_COLLECTOR, e.kind, &e.hash, d->arena);
    const struct item it = record_item(&e, &note, 1, d->arena);
    d->evidence = append_alone(d->l, d->hangzhou, &it);
    char *path = make_package(d, "package");
    assert_int_equal(verify_both(d, path, true), 11);
    free(path);
}

/* The roster closes Hangzhou's ledger, and Hangzhou takes that in: with an entry behind. */
static void close_hangzhou(struct desk *d)
{
    net_close_ledger(&d->l->net, HANGZHOU);
    take_roster(d->l, d->hangzhou);
}

static void package_of_a_closed_ledger_passes_with_both(void **state)
{
    struct desk *d = *state;
    close_hangzhou(d);
    char *path = make_package(d, "package");
    char *proof = file_path(path, "record/closing.proof");
    assert_int_not_equal(access(proof, F_OK), 0);
    free(proof);
    assert_int_equal(verify_both(d, path, true), 0);
    free(path);
}

static void package_closing_proof_changed_or_gone_is_seen_by_both(void **state)
{
    struct desk *d = *state;
    char names[128][512];
    size_t n = 0, seen = 0;
    close_hangzhou(d);
    char *good = make_package(d, "package");
    char *bad = in_net(d, "bad");
    list_files(good, "", names, &n);
    for (size_t i = 0; i < n; i++) {
        char path[1600];
        if (!strstr(names[i], "/closing.proof"))
            continue;
        copy_folder(good, bad);
        flip(bad, names[i]);
        seal_again(d, bad);
        assert_int_equal(verify_both(d, bad, true), 10);
        snprintf(path, sizeof path, "%s/%s", bad, names[i]);
        assert_int_equal(unlink(path), 0);
        seal_again(d, bad);
        assert_int_equal(verify_both(d, bad, true), 11);
        seen++;
    }
    assert_true(seen > 0);
    free(good);
    free(bad);
}

/* Only what was closed is settled by the closing. */
static void package_of_a_record_behind_the_closing_is_open_with_both(void **state)
{
    struct desk *d = *state;
    const struct drafted e = draft_evidence(d->hangzhou, d->arena);
    struct bytes notes[] = {
        sign_record(&d->wang, d->hangzhou->origin, SIGNATURE_COLLECTOR, e.kind, &e.hash, d->arena),
        sign_record(&d->li, d->hangzhou->origin, SIGNATURE_COLLECTOR, e.kind, &e.hash, d->arena)};
    const struct item it = record_item(&e, notes, 2, d->arena);
    close_hangzhou(d);
    d->evidence = append_alone(d->l, d->hangzhou, &it);
    char *path = make_package(d, "package");
    assert_int_equal(verify_both(d, path, true), 11);
    free(path);
}

static void package_embeds_the_files_of_the_tree(void **state)
{
    static const char *const names[] = {"proto/ledger.proto", "proto/parcel.proto",
                                        "proto/record.proto", "proto/roster.proto"};
    (void)state;
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        struct buf file = BUF_INIT;
        OK(file_read(names[i], 1 << 20, &file));
        assert_true(bytes_equal(buf_bytes(&file), embedded_file(names[i])));
        buf_free(&file);
    }
    assert_null(embedded_file("nothing").data);
}

/* ---- what people read ---- */

static char *text_in(const char *package, const char *name)
{
    struct buf content = BUF_INIT;
    char *path = file_path(package, name);
    OK(file_read(path, 1 << 20, &content));
    char *text = strndup((const char *)content.data, content.len);
    buf_free(&content);
    free(path);
    return text;
}

static void assert_says(const char *text, const char *words)
{
    if (!strstr(text, words))
        fail_msg("nowhere \"%s\" in\n%s", words, text);
}

static void package_readme_tells_who_made_sent_received_and_decided(void **state)
{
    static const char *const words[] = {
        "<tr><th>类型 Kind<td>证据 evidence",
        "<tr><th>制作单位 Made by<td>330100-001\n",
        "<tr><th>封存人 Sealed by<td>王芳\n",
        "<tr><th>登记单位 Recorded by<td>330100-001\n",
        "<tr><th>制作时间 Made<td>2027-01-15 16:16:40 +08:00\n",
        "收集人 Collector<td>2027-01-15 16:00:00 +08:00\n",
        "完整性校验值 SM3",
        "<h2>发送 Sent</h2>",
        "直接发送 Sent as recorded",
        "<h2>中转站接受 Accepted</h2>",
        "<h2>收到 Received</h2>",
        "<td>440300-001<td><code>440300-001</code>",
        "<h2>采信决定 Recognitions</h2>",
        "<td>440300-001<td>核实后采信 ",
        "<td>第二十三条<td><td>赵敏<td><code>" ZHAO "</code>",
        "主管机构公钥",
    };
    struct desk *d = *state;
    char *path = make_package(d, "package");
    char *text = text_in(path, "README.html");
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
        assert_says(text, words[i]);
    assert_null(strstr(text, "/officer/"));
    assert_null(strstr(text, "主管机关"));
    free(text);
    free(path);
}

/* Columns that a line takes, Chinese characters counted two wide. */
static size_t columns_of(const char *line, size_t len)
{
    size_t n = 0;
    for (size_t i = 0; i < len; i++) {
        uint8_t c = (uint8_t)line[i];
        n += c < 0x80 ? 1 : c >= 0xe0 ? 2 : 0;
    }
    return n;
}

static void package_explains_every_check_in_both_languages(void **state)
{
    static const char *const checks[] = {
        "sums", "complete", "roster",  "authority",   "entry", "content", "signature", "collectors",
        "sent", "broker",   "receipt", "recognition", "file",  "seal",    "closed"};
    struct bytes all = embedded_file("VERIFY.txt");
    char *text = strndup((const char *)all.data, all.len);
    (void)state;
    char *english = strstr(text, "HOW TO VERIFY");
    assert_non_null(english);
    assert_null(strstr(text, "主管机关"));
    for (const char *line = text; *line; line += strcspn(line, "\n") + 1)
        if (columns_of(line, strcspn(line, "\n")) > 90)
            fail_msg("too wide: %.*s", (int)strcspn(line, "\n"), line);
    for (size_t i = 0; i < sizeof checks / sizeof checks[0]; i++) {
        char line[32];
        snprintf(line, sizeof line, "\n%-13s", checks[i]);
        const char *chinese = strstr(text, line);
        assert_true(chinese && chinese < english);
        assert_says(english, line);
    }
    free(text);
}

static void package_script_ends_with_a_verdict_in_both_languages(void **state)
{
    struct desk *d = *state;
    struct buf said = BUF_INIT;
    char *network = network_file(d);
    char *path = make_package(d, "package");
    assert_int_equal(run_script(d, path, network, &said), 0);
    assert_says(buf_str(&said),
                "\nauthentic: 真实：各项核验全部通过 (authentic: every check passed)\n");
    buf_reset(&said);
    assert_int_equal(run_script(d, path, "/nonexistent.network", &said), 2);
    assert_string_equal(buf_str(&said),
                        "没有文件 /nonexistent.network，它也不是公钥\n"
                        "there is no file /nonexistent.network, and it is no key\n");
    buf_reset(&said);
    char *sums = file_path(path, "SHA256SUMS");
    assert_int_equal(run_script(d, path, sums, &said), 2);
    assert_says(buf_str(&said), "不是主管机构的网络文件");
    buf_reset(&said);
    assert_int_equal(unlink(sums), 0);
    assert_int_equal(run_script(d, path, network, &said), 12);
    assert_string_equal(buf_str(&said), "这不是证据包\nthis is no evidence package\n");
    buf_free(&said);
    free(sums);
    free(network);
    free(path);
}

/* Only its own words, whatever is missing. */
static void package_script_says_nothing_but_its_checks(void **state)
{
    static const char *const gone[] = {"SHA256SUMS.note", "roster.bin",
                                       "roster.note seal/entry.bin files/1-*",
                                       "record/*.bin */*/*.bin */*/*/*.bin",
                                       "record/*.tlog-proof */*/*.tlog-proof signatures/*.note"};
    struct desk *d = *state;
    char *network = network_file(d);
    char *good = make_package(d, "package");
    char *bad = in_net(d, "bad");
    for (size_t i = 0; i < sizeof gone / sizeof gone[0]; i++) {
        struct buf said = BUF_INIT;
        char command[1600];
        copy_folder(good, bad);
        snprintf(command, sizeof command, "cd '%s' && rm %s && cp '%s/record/entry.bin' record/",
                 bad, gone[i], good);
        assert_int_equal(system(command), 0);
        int code = run_script(d, bad, network, &said);
        if (code != 10)
            fail_msg("without %s: %d, %s", gone[i], code,
                     buf_str(&said) + (said.len > 300 ? said.len - 300 : 0));
        for (const char *line = buf_str(&said); *line; line += strcspn(line, "\n") + 1)
            if (strncmp(line, "ok ", 3) != 0 && strncmp(line, "FAIL ", 5) != 0 &&
                strncmp(line, "# ", 2) != 0 && strncmp(line, "open ", 5) != 0 &&
                strncmp(line, "contradiction: 不真实：", strlen("contradiction: 不真实：")) != 0)
                fail_msg("without %s: %.*s", gone[i], (int)strcspn(line, "\n"), line);
        assert_int_equal(verify_both(d, bad, i < 1), 10);
        buf_free(&said);
    }
    free(bad);
    free(good);
    free(network);
}

static void write_in(const char *package, const char *name, const char *content)
{
    char *path = file_path(package, name);
    OK(file_write(path, bytes_of(content), 0644));
    free(path);
}

/* The report of a package in which one file was changed. */
static json_t *report_without(struct desk *d, const char *good, const char *changed)
{
    json_t *report = NULL;
    char *bad = in_net(d, "bad");
    copy_folder(good, bad);
    flip(bad, changed);
    OK(package_verify(bad, &d->l->net.network, &report));
    assert_int_equal(number_of(report, "exit"), 10);
    free(bad);
    return report;
}

static json_t *check_in(const json_t *report, const char *name)
{
    size_t i = 0;
    json_t *c = NULL;
    json_array_foreach(json_object_get(report, "checks"), i, c)
    {
        if (strcmp(text_of(c, "check"), name) == 0 && json_is_false(json_object_get(c, "ok")))
            return c;
    }
    return NULL;
}

static const char *first_file(const json_t *check)
{
    return json_string_value(json_array_get(json_object_get(check, "files"), 0));
}

static void package_report_names_what_does_not_fit(void **state)
{
    struct desk *d = *state;
    char *good = make_package(d, "package");
    json_t *report = report_without(d, good, "README.html");
    assert_string_equal(first_file(check_in(report, "sums")), "README.html");
    assert_true(json_is_true(json_object_get(report, "wrapping_alone")));
    assert_string_equal(text_of(report, "sentence"),
                        "This package is not authentic: 1 check failed.");
    json_decref(report);
    report = report_without(d, good, "SHA256SUMS.note");
    assert_true(json_is_true(json_object_get(report, "wrapping_alone")));
    json_decref(report);
    report = report_without(d, good, "files/2-notes_of_the_day.txt");
    assert_string_equal(first_file(check_in(report, "sums")), "files/2-notes_of_the_day.txt");
    assert_string_equal(first_file(check_in(report, "file")), "notes of the day.txt");
    assert_null(json_object_get(report, "wrapping_alone"));
    json_decref(report);
    report = report_without(d, good, "signatures/" WANG ".note");
    assert_null(json_object_get(report, "wrapping_alone"));
    json_decref(report);
    free(good);
}

static const json_t *decision_in(const json_t *report)
{
    const json_t *list = json_object_get(report, "recognitions");
    assert_int_equal(json_array_size(list), 1);
    return json_array_get(list, 0);
}

static void package_report_lists_decisions_and_how_far_they_are_proven(void **state)
{
    struct desk *d = *state;
    json_t *report = NULL;
    char *good = make_package(d, "package");
    OK(package_verify(good, &d->l->net.network, &report));
    const json_t *decision = decision_in(report);
    assert_string_equal(text_of(decision, "member"), "440300-001");
    assert_string_equal(text_of(decision, "reviewer"), "王芳"); /* as she is enrolled */
    assert_string_equal(text_of(decision, "licence"), ZHAO);
    assert_string_equal(text_of(decision, "decision"), "VERIFIED");
    assert_string_equal(text_of(decision, "basis"), "第二十三条");
    assert_int_equal(strlen(text_of(decision, "time")), strlen("2027-01-15T08:00:00Z"));
    assert_true(json_is_true(json_object_get(decision, "proven")));
    json_decref(report);
    /* nobody signed it: it says what it says, and that is not proven */
    report = report_without(d, good, "recognitions/1/reviewer.note");
    decision = decision_in(report);
    assert_string_equal(text_of(decision, "decision"), "VERIFIED");
    assert_true(json_is_false(json_object_get(decision, "proven")));
    json_decref(report);
    /* of what stands in no ledger nothing is told but that it is there */
    report = report_without(d, good, "recognitions/1/entry.bin");
    decision = decision_in(report);
    assert_null(json_object_get(decision, "decision"));
    assert_string_equal(text_of(decision, "folder"), "recognitions/1");
    assert_true(json_is_false(json_object_get(decision, "proven")));
    json_decref(report);
    /* a decision that is sound, about evidence that is not */
    report = report_without(d, good, "record/body.bin");
    assert_true(json_is_false(json_object_get(decision_in(report), "proven")));
    json_decref(report);
    free(good);
}

static void package_odd_sums_fail_alike_with_both(void **state)
{
    struct desk *d = *state;
    char *path = make_package(d, "package");
    char *sums = text_in(path, "SHA256SUMS");
    struct buf more = BUF_INIT;
    write_in(path, "SHA256SUMS", "");
    assert_int_equal(verify_both(d, path, true), 10);
    buf_printf(&more, "%sthis is no line of it\n", sums);
    write_in(path, "SHA256SUMS", buf_str(&more));
    assert_int_equal(verify_both(d, path, true), 10);
    buf_reset(&more);
    buf_printf(&more, "%.*s", (int)strlen(sums) - 1, sums); /* without its last line feed */
    write_in(path, "SHA256SUMS", buf_str(&more));
    assert_int_equal(verify_both(d, path, true), 10);
    buf_free(&more);
    free(sums);
    free(path);
}

/* ---- what cannot be made ---- */

static void package_make_says_why_it_cannot(void **state)
{
    struct desk *d = *state;
    struct buf detail = BUF_INIT;
    char *out = in_net(d, "package");
    char ref[32];
    snprintf(ref, sizeof ref, "%llu", (unsigned long long)d->evidence);
    struct package_plan plan = plan_of(d, "a/b/c", out);
    assert_int_equal(package_make(&plan, &detail), COMITY_E_REF);
    plan.ref = "0";
    assert_int_equal(package_make(&plan, NULL), COMITY_E_NOT_FOUND);
    plan.ref = "4000";
    assert_int_equal(package_make(&plan, NULL), COMITY_E_NOT_FOUND);
    plan.ref = ref;
    plan.officer = d->zhao.signer; /* of another bureau */
    assert_int_equal(package_make(&plan, NULL), COMITY_E_UNKNOWN_KEY);
    plan.officer = d->wang.signer;
    plan.out = d->l->net.dir;
    assert_int_equal(package_make(&plan, NULL), COMITY_E_EXISTS);
    buf_reset(&detail);
    plan.out = "/nonexistent/package.zip";
    assert_int_equal(package_make(&plan, &detail), COMITY_E_NOT_FOUND);
    assert_string_equal(buf_str(&detail), plan.out);
    plan.out = out;
    plan.files = "/nonexistent";
    buf_reset(&detail);
    assert_int_equal(package_make(&plan, &detail), COMITY_E_AGAIN);
    assert_non_null(strstr(buf_str(&detail), "/nonexistent/"));
    assert_int_not_equal(access(out, F_OK), 0);
    buf_free(&detail);
    free(out);
}

static void package_make_refuses_a_retired_officer(void **state)
{
    struct desk *d = *state;
    char *out = in_net(d, "package");
    char ref[32];
    retire(d->l, &d->wang);
    snprintf(ref, sizeof ref, "%llu", (unsigned long long)d->evidence);
    const struct package_plan plan = plan_of(d, ref, out);
    assert_int_equal(package_make(&plan, NULL), COMITY_E_RETIRED);
    free(out);
}

static void package_make_refuses_a_file_that_was_changed(void **state)
{
    struct desk *d = *state;
    char *out = in_net(d, "package");
    char ref[32];
    char command[600];
    snprintf(ref, sizeof ref, "%llu", (unsigned long long)d->evidence);
    snprintf(command, sizeof command, "for f in '%s'/files/*; do echo more >> $f; done",
             d->hangzhou->dir);
    assert_int_equal(system(command), 0);
    const struct package_plan plan = plan_of(d, ref, out);
    assert_int_equal(package_make(&plan, NULL), COMITY_E_ATTACHMENT);
    assert_int_not_equal(access(out, F_OK), 0);
    free(out);
}

static void package_verify_refuses_what_is_no_package(void **state)
{
    struct desk *d = *state;
    json_t *report = NULL;
    char *network = network_file(d);
    assert_int_equal(package_verify("/nonexistent", &d->l->net.network, &report),
                     COMITY_E_NOT_FOUND);
    assert_int_equal(package_verify(d->hangzhou->dir, &d->l->net.network, &report),
                     COMITY_E_NOT_A_PACKAGE);
    assert_int_equal(package_verify(network, &d->l->net.network, &report), COMITY_E_NOT_A_PACKAGE);
    char *path = make_package(d, "package");
    char *pipe = file_path(path, "pipe");
    assert_int_equal(mkfifo(pipe, 0600), 0);
    assert_int_equal(package_verify(path, &d->l->net.network, &report), COMITY_E_NOT_A_PACKAGE);
    free(pipe);
    free(path);
    free(network);
}

/* ---- tampering ---- */

/* These are for reading only: what they say is proven elsewhere. */
static bool is_rendering(const char *name)
{
    static const char *const names[] = {"README.html", "VERIFY.txt", "verify.sh",
                                        "record/body.json", "proto/"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        if (strncmp(name, names[i], strlen(names[i])) == 0)
            return true;
    return false;
}

/* A second officer's enrolment is checked by what checks the first one's. */
static bool is_like_another(const char *name)
{
    return (strncmp(name, "signatures/" LI "/", 23) == 0 && !strstr(name, "/signed-")) ||
           strncmp(name, "recognitions/1/key/", 19) == 0;
}

static bool is_sums(const char *name)
{
    return strncmp(name, "SHA256SUMS", 10) == 0;
}

/* The sums alone hold it. verify.sh cannot be asked about itself. */
static bool is_held_by_sums(const char *name)
{
    return (is_rendering(name) || is_sums(name)) && strcmp(name, "verify.sh") != 0;
}

static bool is_proof(const char *name)
{
    return !is_rendering(name) && !is_sums(name) && !is_like_another(name);
}

/* Every file of a package that ${is_one} picks is changed in a copy of its own: both say so. */
static void change_each(struct desk *d, bool (*is_one)(const char *name), bool is_sealed_again)
{
    char *good = make_package(d, "package");
    char *bad = in_net(d, "bad");
    char names[128][512];
    size_t n = 0;
    list_files(good, "", names, &n);
    assert_true(n > 40);
    for (size_t i = 0; i < n; i++) {
        if (!is_one(names[i]))
            continue;
        copy_folder(good, bad);
        flip(bad, names[i]);
        if (is_sealed_again)
            seal_again(d, bad);
        if (verdict_on(d, bad) != 10)
            fail_msg("%s was changed, and nobody saw", names[i]);
    }
    free(good);
    free(bad);
}

static void package_text_or_sums_changed_fails_with_both(void **state)
{
    change_each(*state, is_held_by_sums, false);
}

static void package_any_proof_changed_and_sealed_again_fails_with_both(void **state)
{
    change_each(*state, is_proof, true);
}

static void package_file_removed_fails_with_both(void **state)
{
    struct desk *d = *state;
    char *path = make_package(d, "package");
    char *file = file_path(path, "record/salt.bin");
    assert_int_equal(unlink(file), 0);
    assert_int_equal(verify_both(d, path, true), 10);
    free(file);
    free(path);
}

static void package_file_slipped_in_fails_with_both(void **state)
{
    struct desk *d = *state;
    char *path = make_package(d, "package");
    char *file = file_path(path, "files/3-more.txt");
    OK(file_write(file, bytes_of("not of this evidence"), 0644));
    assert_int_equal(verify_both(d, path, true), 10);
    free(file);
    free(path);
}

static void package_receipt_under_anothers_name_fails_with_both(void **state)
{
    struct desk *d = *state;
    char *path = make_package(d, "package");
    char command[1200];
    snprintf(command, sizeof command, "mv '%s/receipts/440300-001' '%s/receipts/510100-001'", path,
             path);
    assert_int_equal(system(command), 0);
    seal_again(d, path);
    assert_int_equal(verify_both(d, path, true), 10);
    free(path);
}

static void package_signature_exchanged_fails_with_both(void **state)
{
    struct desk *d = *state;
    char *path = make_package(d, "package");
    char command[2000];
    snprintf(command, sizeof command,
             "cd '%s/signatures' && mv " WANG ".note a && mv " LI ".note " WANG ".note", path);
    assert_int_equal(system(command), 0);
    seal_again(d, path);
    assert_int_equal(verify_both(d, path, true),
                     11); /* one collector is left, and his note may have any name */
    snprintf(command, sizeof command, "cd '%s/signatures' && rm -r " LI " && cp -r " WANG " " LI,
             path);
    assert_int_equal(system(command), 0);
    seal_again(d, path);
    assert_int_equal(verify_both(d, path, true), 10); /* under the other officer's key */
    free(path);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, desk_setup, desk_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(package_good_passes_with_both),
        TEST(package_zip_passes_and_holds_the_same),
        TEST(package_without_the_authority_is_open_and_shows_its_keys),
        TEST(package_under_another_authority_fails_with_both),
        TEST(package_of_a_received_record_passes_with_both),
        TEST(package_of_evidence_with_one_collector_is_open_with_both),
        TEST(package_of_a_closed_ledger_passes_with_both),
        TEST(package_closing_proof_changed_or_gone_is_seen_by_both),
        TEST(package_of_a_record_behind_the_closing_is_open_with_both),
        TEST(package_embeds_the_files_of_the_tree),
        TEST(package_readme_tells_who_made_sent_received_and_decided),
        TEST(package_explains_every_check_in_both_languages),
        TEST(package_script_ends_with_a_verdict_in_both_languages),
        TEST(package_script_says_nothing_but_its_checks),
        TEST(package_report_names_what_does_not_fit),
        TEST(package_report_lists_decisions_and_how_far_they_are_proven),
        TEST(package_odd_sums_fail_alike_with_both),
        TEST(package_make_says_why_it_cannot),
        TEST(package_make_refuses_a_retired_officer),
        TEST(package_make_refuses_a_file_that_was_changed),
        TEST(package_verify_refuses_what_is_no_package),
        TEST(package_text_or_sums_changed_fails_with_both),
        TEST(package_any_proof_changed_and_sealed_again_fails_with_both),
        TEST(package_file_removed_fails_with_both),
        TEST(package_file_slipped_in_fails_with_both),
        TEST(package_receipt_under_anothers_name_fails_with_both),
        TEST(package_signature_exchanged_fails_with_both),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
