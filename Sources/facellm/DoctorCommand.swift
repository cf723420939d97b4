import Analysis
import ArgumentParser
import CFFmpeg
import Faces
import Foundation

/// `facellm doctor`: what works here, and the remedy for what does not.
struct DoctorCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "doctor",
        abstract: "Checks libraries, models, processor and sockets, and tells the remedy."
    )

    private struct Finding {
        var subject: String
        var state: String
        /// Nil where all is well.
        var remedy: String?
    }

    func run() throws {
        let findings = libraries() + models() + [processor(), runtimeFolder()]
        let width = findings.map(\.subject.count).max() ?? 0
        for finding in findings {
            let mark = finding.remedy == nil ? "ok  " : "BAD "
            print("\(mark) \(finding.subject.padding(toLength: width, withPad: " ", startingAt: 0))  \(finding.state)")
            if let remedy = finding.remedy { print("     → \(remedy)") }
        }
        if findings.contains(where: { $0.remedy != nil }) { throw ExitStatus(code: 1) }
        print("everything that facellm needs is here")
    }

    private func libraries() -> [Finding] {
        func version(_ number: UInt32) -> String { "\(number >> 16).\(number >> 8 & 255).\(number & 255)" }
        // Built against one major version, run with another: structures differ.
        func library(_ name: String, _ found: UInt32, _ major: Int32) -> Finding {
            let matches = found >> 16 == UInt32(major)
            return Finding(
                subject: name,
                state: version(found),
                remedy: matches ? nil : "it was built for version \(major): build facellm again on this system"
            )
        }
        var findings = [
            library("libavformat", avformat_version(), LIBAVFORMAT_VERSION_MAJOR),
            library("libavcodec", avcodec_version(), LIBAVCODEC_VERSION_MAJOR),
            library("libavutil", avutil_version(), LIBAVUTIL_VERSION_MAJOR),
            library("libswscale", swscale_version(), LIBSWSCALE_VERSION_MAJOR),
        ]
        do {
            _ = try InferenceCore()
            findings.append(Finding(subject: "OpenVINO", state: InferenceCore.version))
        } catch {
            findings.append(
                Finding(
                    subject: "OpenVINO",
                    state: "\(error)",
                    remedy: "run scripts/setup or install the package again"
                )
            )
        }
        return findings
    }

    private func models() -> [Finding] {
        let folder = ModelFolder.standard(environment: ProcessInfo.processInfo.environment)
        return ModelCatalogue.all.map { model in
            do throws(FacesError) {
                return Finding(subject: model.name, state: try folder.verifiedPath(of: model))
            } catch {
                return Finding(
                    subject: model.name,
                    state: error.description,
                    remedy: "run scripts/setup or install the package again, or name their folder in FACELLM_MODELS"
                )
            }
        }
    }

    private func processor() -> Finding {
        let wanted = [
            "avx2", "fma", "f16c", "avx512f", "avx512_vnni", "avx512_bf16", "avx_vnni", "amx_int8", "asimddp", "i8mm",
        ]
        let text = (try? String(contentsOfFile: "/proc/cpuinfo", encoding: .utf8)) ?? ""
        let line = text.split(separator: "\n").first { $0.hasPrefix("flags") || $0.hasPrefix("Features") } ?? ""
        let flags = Set(line.split(separator: " ").map(String.init))
        let found = wanted.filter(flags.contains)
        let cores = ProcessInfo.processInfo.activeProcessorCount
        return Finding(
            subject: "processor",
            state:
                "\(cores) \(cores == 1 ? "core" : "cores"), \(found.isEmpty ? "no vector extensions that facellm uses" : found.joined(separator: " "))"
        )
    }

    /// Where the daemon's sockets go: it must be writable, or made by systemd.
    private func runtimeFolder() -> Finding {
        let environment = ProcessInfo.processInfo.environment
        let base = environment["RUNTIME_DIRECTORY"] ?? environment["XDG_RUNTIME_DIR"] ?? "/run"
        let isWritable = access(base, W_OK) == 0
        return Finding(
            subject: "sockets",
            state: "\(base) is \(isWritable ? "writable" : "not writable")",
            remedy: isWritable ? nil : "set XDG_RUNTIME_DIR to a folder of yours: sockets are made there"
        )
    }
}
