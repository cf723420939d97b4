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

    /// What cameras play, over and over: 2 s of nobody, then a face, 25 pictures a second.
    func cameraFile(faceSeconds: Int = 4) async throws -> String {
        try await ffmpeg(
            "-f lavfi -i color=gray:s=640x480:r=25:d=2 -loop 1 -framerate 25 -t \(faceSeconds) -i \(Installation.portrait) "
                + "-filter_complex [1:v]scale=720:720,crop=640:480:x=40+20*sin(t):y=15,setsar=1,format=yuv420p[b];"
                + "[0:v]format=yuv420p,setsar=1[a];[a][b]concat=n=2:v=1[o] -map [o] -c:v libx264 -preset ultrafast "
                + "-bf 0 -g 25 -x264-params aud=1 -f h264",
            "video.h264"
        )
    }

    /// What cameras play, over and over: nine faces, each a little larger, sharper or turned otherwise at times, for 4 s
    /// after 1 s of nobody.
    func crowdFile() async throws -> String {
        try await ffmpeg(
            "-f lavfi -i color=gray:s=960x720:r=25:d=1 -loop 1 -framerate 25 -t 4 -i \(Installation.portrait) "
                + "-filter_complex [1:v]crop=256:192:x=96+20*sin(3*t):y=0,scale=320:240,split=9"
                + "[a][b][c][d][e][f][g][h][i];[a][b][c]hstack=3[x];[d][e][f]hstack=3[y];[g][h][i]hstack=3[z];"
                + "[x][y][z]vstack=3,setsar=1,format=yuv420p[k];[0:v]format=yuv420p,setsar=1[n];"
                + "[n][k]concat=n=2:v=1[o] -map [o] -c:v libx264 -preset ultrafast -bf 0 -g 25 "
                + "-x264-params aud=1 -f h264",
            "video.h264"
        )
    }
}
