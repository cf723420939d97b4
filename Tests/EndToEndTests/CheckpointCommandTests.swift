import Foundation
import TestSupport
import Testing

extension EndToEnd {
    /// `facellm models make-random` and `verify`, which need nothing that is installed for the small size.
    @Suite("Model folders")
    struct CheckpointCommandTests {
        private let folder: TemporaryFolder

        init() throws { folder = try TemporaryFolder() }

        @Test("a random model is made, says that it is noise, and is found in order")
        func makeAndVerify() async throws {
            let path = folder.path("noise")
            let made = try await Facellm.run("models", "make-random", "--size", "tiny", "--seed", "3", path)
            #expect(made.ending == .exited(0), "\(made.standardError)")
            #expect(made.text.contains("random noise, seed 3"))
            #expect(folder.files.contains("noise/README.txt") && folder.files.contains("noise/model.safetensors"))

            let report = try await Facellm.run("models", "verify", path, "--deep")
            #expect(report.ending == .exited(0), "\(report.text)\(report.standardError)")
            #expect(report.text.contains("noise       yes") && report.text.contains("This model can be run."))

            let again = try await Facellm.run("models", "make-random", "--size", "tiny", path)
            #expect(again.ending == .exited(2))
            #expect(again.standardError.contains(path) && again.text == "")
        }

        @Test("what is missing is told with status 2, in words and as JSON")
        func verifyFaulty() async throws {
            let path = folder.path("noise")
            let made = try await Facellm.run("models", "make-random", "--size", "tiny", path)
            #expect(made.ending == .exited(0), "\(made.standardError)")
            let config = URL(filePath: path + "/config.json")
            let text = try String(contentsOf: config, encoding: .utf8)
            // The vision tower and the language model each miss a layer then.
            let deeper = text.replacing("\"num_hidden_layers\": 3", with: "\"num_hidden_layers\": 4")
            try Data(deeper.utf8).write(to: config)

            let report = try await Facellm.run("models", "verify", path)
            #expect(report.ending == .exited(2))
            for name in ["vision_tower.encoder.layer.3.lambda_2", "language_model.model.layers.3.mlp.up_proj.weight"] {
                #expect(report.text.contains(name), "\(report.text)")
            }
            let json = try await Facellm.run("models", "verify", path, "--json")
            #expect(json.ending == .exited(2))
            let object = try #require(JSONSerialization.jsonObject(with: json.standardOutput) as? [String: Any])
            #expect(object["is_usable"] as? Bool == false)
            let faults = try #require((object["report"] as? [String: Any])?["faults"] as? [[String: Any]])
            #expect(faults.count == 18 + 12)
        }

        @Test("a folder that is not there, a size that is none, a seed that is none: status 2")
        func usage() async throws {
            #expect(try await Facellm.run("models", "verify", folder.path("absent")).ending == .exited(2))
            for arguments in [["--size", "9b"], ["--size", "tiny", "--seed", "-1"], []] {
                let run = try await Facellm.start(["models", "make-random"] + arguments + [folder.path("x")]).finish()
                #expect(run.ending == .exited(2), "\(arguments)")
            }
            #expect(folder.files == [])
        }
    }
}
