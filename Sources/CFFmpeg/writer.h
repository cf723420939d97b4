// What writing pictures and videos needs of FFmpeg's macros.
#pragma once

#include <errno.h>
#include <libavcodec/avcodec.h>
#include <libavutil/error.h>

/// The errno behind an AVERROR, 0 for FFmpeg's own codes.
static inline int cff_errno(int code) {
    int number = AVUNERROR(code);
    return number > 0 && number < 4096 ? number : 0;
}

/// The lambda of a fixed quantiser, for AVFrame.quality and AVCodecContext.global_quality.
static const int cff_QP2LAMBDA = FF_QP2LAMBDA;

static const int cff_ERROR_ENCODER_NOT_FOUND = AVERROR_ENCODER_NOT_FOUND;
