import TestSupport
import Testing

extension TemporaryFolder {
    /// Makes a file with the `ffmpeg` command; blanks in `arguments` separate.
    func ffmpeg(_ arguments: String, _ name: String) async throws -> String {
        try await FFmpegCommand.run(arguments + " " + name, in: self)
        return path(name)
    }
}

/// The clips of the tests.
extension TemporaryFolder {
    /// A portrait that moves a little; `seconds` of 640x480, 25 frames a second.
    func portrait(seconds: Int, rate: Int = 25, _ name: String = "portrait.mp4") async throws -> String {
        try await ffmpeg(
            "-loop 1 -framerate \(rate) -t \(seconds) -i \(Installation.portrait) -vf "
                + "scale=720:720,crop=640:480:x=40+20*sin(t):y=15,format=yuv420p -c:v libx264 -preset ultrafast",
            name
        )
    }

    /// An hour of a portrait that moves a little; small pictures, cheap to decode.
    func endlessPortrait() async throws -> String {
        let short = try await ffmpeg(
            "-loop 1 -framerate 25 -t 4 -i \(Installation.portrait) "
                + "-vf scale=360:360,crop=320:240:x=20+10*sin(PI*t/2):y=8,format=yuv420p -c:v libx264 -preset ultrafast "
                + "-crf 32 -g 100",
            "short.mp4"
        )
        return try await ffmpeg("-stream_loop 900 -i \(short) -c copy", "endless.mkv")
    }

    /// What cameras play, over and over: 2 s of nobody, then 4 s of a face.
    func cameraFile() async throws -> String {
        try await ffmpeg(
            "-f lavfi -i color=gray:s=640x480:r=25:d=2 -loop 1 -framerate 25 -t 4 -i \(Installation.portrait) "
                + "-filter_complex [1:v]scale=720:720,crop=640:480:x=40+20*sin(t):y=15,setsar=1,format=yuv420p[b];"
                + "[0:v]format=yuv420p,setsar=1[a];[a][b]concat=n=2:v=1[o] -map [o] -c:v libx264 -preset ultrafast "
                + "-bf 0 -g 25 -x264-params aud=1 -f h264",
            "video.h264"
        )
    }
}
