// FFmpeg's libraries, and the macros that Swift cannot import.
#pragma once

#include <libavcodec/avcodec.h>
#include <libavformat/avformat.h>
#include <libavutil/avutil.h>
#include <libavutil/display.h>
#include <libavutil/error.h>
#include <libavutil/imgutils.h>
#include <libavutil/log.h>
#include <libavutil/mathematics.h>
#include <libavutil/opt.h>
#include <libavutil/pixdesc.h>
#include <libavutil/sha.h>
#include <libswscale/swscale.h>

#include "writer.h"

static const int64_t cff_NOPTS_VALUE = AV_NOPTS_VALUE;
static const int cff_ERROR_EOF = AVERROR_EOF;
static const int cff_ERROR_EAGAIN = AVERROR(EAGAIN);
static const int cff_ERROR_EXIT = AVERROR_EXIT;
static const int cff_ERROR_INVALIDDATA = AVERROR_INVALIDDATA;
static const int cff_ERROR_ENOENT = AVERROR(ENOENT);
static const int cff_ERROR_EACCES = AVERROR(EACCES);
static const int cff_ERROR_EISDIR = AVERROR(EISDIR);
static const int cff_ERROR_ENOSPC = AVERROR(ENOSPC);
static const int cff_ERROR_ENOMEM = AVERROR(ENOMEM);
static const int cff_ERROR_DECODER_NOT_FOUND = AVERROR_DECODER_NOT_FOUND;
static const int cff_ERROR_STREAM_NOT_FOUND = AVERROR_STREAM_NOT_FOUND;
static const int cff_ERROR_PROTOCOL_NOT_FOUND = AVERROR_PROTOCOL_NOT_FOUND;
static const int cff_ERROR_EIO = AVERROR(EIO);
static const int cff_ERROR_EINVAL = AVERROR(EINVAL);
static const int cff_ERROR_ETIMEDOUT = AVERROR(ETIMEDOUT);
static const int cff_ERROR_HTTP_UNAUTHORIZED = AVERROR_HTTP_UNAUTHORIZED;
static const int cff_ERROR_HTTP_FORBIDDEN = AVERROR_HTTP_FORBIDDEN;
static const int cff_ERROR_HTTP_NOT_FOUND = AVERROR_HTTP_NOT_FOUND;

/// Takes one finished line of FFmpeg's log; may be called from any thread, and must not log itself.
///
/// `owner` is the `opaque` of the decoder that logged, null for everything else: decoders have threads of their own.
typedef void (*cff_log_sink)(void *owner, const char *line);

/// Inside a function because Swift emits the functions of a header, and not its variables.
static inline cff_log_sink *cff_current_log_sink(void) {
    static cff_log_sink sink;
    return &sink;
}

// Swift cannot receive a va_list, so the line is put together here.
static void cff_log_callback(void *object, int level, const char *format, va_list arguments) {
    if (level >= 0) level &= 0xff;
    if (level > AV_LOG_WARNING || !*cff_current_log_sink()) return;
    char line[1024];
    int print_prefix = 1;
    av_log_format_line2(object, level, format, arguments, line, sizeof line, &print_prefix);
    int is_codec = object && *(const AVClass **)object == avcodec_get_class();
    (*cff_current_log_sink())(is_codec ? ((AVCodecContext *)object)->opaque : 0, line);
}

/// Sends FFmpeg's log, from warnings upwards, to `sink` in place of standard error.
static inline void cff_capture_log(cff_log_sink sink) {
    *cff_current_log_sink() = sink;
    av_log_set_callback(cff_log_callback);
}
