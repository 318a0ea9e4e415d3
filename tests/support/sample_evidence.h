/* A record of evidence, such as two officers write: for tests that need one and do not care which.
 */
#ifndef SUPPORT_SAMPLE_EVIDENCE_H
#define SUPPORT_SAMPLE_EVIDENCE_H

#include "domain/record.h"

/* Evidence by two collectors; ${file} may be NULL. */
static inline struct record evidence_record(const struct record_officer officers[2],
                                            const struct record_file *file)
{
    return (struct record){.kind = RECORD_EVIDENCE,
                           .schema = RECORD_SCHEMA,
                           .created = bytes_of("2026-03-02T10:15:00+08:00"),
                           .officers = officers,
                           .officer_count = 2,
                           .u.evidence = {.kind = EVIDENCE_DOCUMENTARY,
                                          .title = bytes_of("进货单"),
                                          .source = bytes_of("某某公司仓库"),
                                          .place = bytes_of("杭州市西湖区"),
                                          .taken = bytes_of("2026-03-02T09:40:00+08:00"),
                                          .form = FORM_ORIGINAL,
                                          .method = bytes_of("现场提取"),
                                          .files = file,
                                          .file_count = file != NULL}};
}

#endif
