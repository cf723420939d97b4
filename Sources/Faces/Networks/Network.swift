internal import COpenVINO
internal import Glibc

/// OpenVINO's core: reads models and compiles them for the processor.
package final class InferenceCore {
    let handle: OpaquePointer
    /// Where compiled models are kept between runs; nil for nowhere.
    let cacheFolder: String?

    /// - Parameter cacheFolder: compiling five networks takes a second of processor time, reading them back a fifth of
    ///   it. A folder that cannot be made or written costs that second and nothing else.
    package init(cacheFolder: String? = nil) throws(FacesError) {
        self.cacheFolder = cacheFolder.flatMap(InferenceCore.usableFolder)
        var core: OpaquePointer?
        let status = ov_core_create(&core)
        guard status == OK, let core else {
            throw FacesError(
                .loadModel,
                subject: "OpenVINO",
                reason: "its core cannot be created (\(status.text)); run scripts/setup to install it again"
            )
        }
        handle = core
    }

    deinit { ov_core_free(handle) }

    /// $FACELLM_CACHE, else the user's cache folder; nil where there is neither.
    ///
    /// An empty FACELLM_CACHE means no cache.
    package static func standardCacheFolder(environment: [String: String]) -> String? {
        if let folder = environment["FACELLM_CACHE"] { return folder.isEmpty ? nil : folder }
        if let folder = environment["CACHE_DIRECTORY"], !folder.isEmpty { return folder + "/openvino" }
        if let folder = environment["XDG_CACHE_HOME"], !folder.isEmpty { return folder + "/facellm/openvino" }
        return environment["HOME"].map { $0 + "/.cache/facellm/openvino" }
    }

    /// Makes the folder with its parents, readable by its owner alone.
    private static func usableFolder(_ path: String) -> String? {
        var made = path.hasPrefix("/") ? "" : "."
        for part in path.split(separator: "/") {
            made += "/" + part
            if mkdir(made, 0o700) != 0, errno != EEXIST { return nil }
        }
        return access(path, W_OK) == 0 ? path : nil
    }

    /// The library's version, for example "2026.4.1-22982".
    package static var version: String {
        var version = ov_version_t()
        guard ov_get_openvino_version(&version) == OK else { return "unknown" }
        defer { ov_version_free(&version) }
        return version.buildNumber.map { String(cString: $0) } ?? "unknown"
    }
}

/// One network with its input and output tensors, run on the calling thread.
///
/// Reads a float tensor, writes float tensors; which is which is told by shape, since the order of outputs is a detail
/// of the converter. Not for use by two threads at a time.
package final class Network {
    package let name: String
    /// For example [1, 192, 192, 3].
    package let inputShape: [Int]
    package let outputShapes: [[Int]]

    private let compiled: OpaquePointer
    private let request: OpaquePointer
    private let inputTensor: OpaquePointer
    private let outputTensors: [OpaquePointer]

    /// - Parameters:
    ///   - path: a .tflite or .onnx file.
    ///   - inputShape: what the input has to be; an open dimension of the file is set to it.
    package init(core: InferenceCore, name: String, path: String, inputShape wanted: [Int]) throws(FacesError) {
        func check(_ status: ov_status_e, _ doing: String) throws(FacesError) {
            guard status == OK else {
                throw FacesError(
                    .compileModel,
                    subject: path,
                    reason: "\(doing) failed (\(status.text)); run scripts/setup to fetch the model again"
                )
            }
        }
        // One stream on the calling thread: the pipeline owns the parallelism. f32 always, because processors with
        // bf16 would otherwise answer differently from those without.
        let settings = [
            ("INFERENCE_NUM_THREADS", "1"), ("NUM_STREAMS", "1"), ("INFERENCE_PRECISION_HINT", "f32"),
            ("ENABLE_CPU_PINNING", "NO"),
        ]
        func compile(cache: String?) -> (ov_status_e, OpaquePointer?) {
            var compiled: OpaquePointer?
            let all = settings + (cache.map { [("CACHE_DIR", $0)] } ?? [])
            let status = withProperties(all) { properties in
                // TFLite files have fixed shapes; compiled from the file, a cached model need not even be parsed.
                guard path.hasSuffix(".onnx") else {
                    return ov_core_compile_model_from_file_props(
                        core.handle,
                        path,
                        "CPU",
                        properties.count,
                        properties.baseAddress,
                        &compiled
                    )
                }
                var model: OpaquePointer?
                var shape = ov_partial_shape_t()
                defer {
                    ov_model_free(model)
                    ov_partial_shape_free(&shape)
                }
                var status = ov_core_read_model(core.handle, path, nil, &model)
                if status == OK {
                    status = ov_partial_shape_create_static(Int64(wanted.count), wanted.map(Int64.init), &shape)
                }
                if status == OK { status = ov_model_reshape_single_input(model, shape) }
                guard status == OK else { return status }
                return ov_core_compile_model_props(
                    core.handle,
                    model,
                    "CPU",
                    properties.count,
                    properties.baseAddress,
                    &compiled
                )
            }
            return (status, compiled)
        }
        let cache = core.cacheFolder.map {
            CompiledModelCache(root: $0, model: path, version: InferenceCore.version)
        }
        let folder = cache?.folder()
        var (status, compiled) = compile(cache: folder)
        if let folder { cache?.finish(folder, isCompiled: status == OK) }
        // A cached copy that cannot be read must not keep a good model from working.
        if status != OK, folder != nil { (status, compiled) = compile(cache: nil) }
        try check(status, "compiling it")
        guard let compiled else {
            throw FacesError(.compileModel, subject: path, reason: "compiling it gave nothing; run scripts/setup")
        }
        self.compiled = compiled
        self.name = name

        var request: OpaquePointer?
        try check(ov_compiled_model_create_infer_request(compiled, &request), "making a request")
        guard let request else {
            throw FacesError(.compileModel, subject: path, reason: "no request could be made; run scripts/setup")
        }
        self.request = request

        var input: OpaquePointer?
        try check(ov_infer_request_get_input_tensor_by_index(request, 0, &input), "getting its input")
        guard let input else {
            throw FacesError(.compileModel, subject: path, reason: "it has no input; run scripts/setup")
        }
        inputTensor = input
        self.inputShape = Network.shape(of: input)

        var count = 0
        try check(ov_compiled_model_outputs_size(compiled, &count), "counting its outputs")
        var tensors: [OpaquePointer] = []
        for index in 0..<count {
            var output: OpaquePointer?
            try check(ov_infer_request_get_output_tensor_by_index(request, index, &output), "getting output \(index)")
            if let output { tensors.append(output) }
        }
        outputTensors = tensors
        outputShapes = tensors.map(Network.shape(of:))
        guard self.inputShape == wanted else {
            throw FacesError(
                .compileModel,
                subject: path,
                reason: "its input is \(self.inputShape), expected \(wanted)"
            )
        }
        for tensor in tensors + [input] {
            var type = ov_element_type_e(0)
            guard ov_tensor_get_element_type(tensor, &type) == OK, type == F32 else {
                throw FacesError(.compileModel, subject: path, reason: "a tensor of it is not of type f32")
            }
        }
    }

    deinit {
        for tensor in outputTensors { ov_tensor_free(tensor) }
        ov_tensor_free(inputTensor)
        ov_infer_request_free(request)
        ov_compiled_model_free(compiled)
    }

    /// The number of floats of the input.
    package var inputCount: Int { inputShape.reduce(1, *) }

    /// Fills the input through `fill`, runs the network and hands its outputs to `read`, in `outputShapes`' order.
    package func run<R>(
        fill: (UnsafeMutablePointer<Float>) -> Void,
        read: ([UnsafeBufferPointer<Float>]) -> R
    ) throws(FacesError) -> R {
        var data: UnsafeMutableRawPointer?
        guard ov_tensor_data(inputTensor, &data) == OK, let data else {
            throw FacesError(.infer, subject: name, reason: "its input tensor has no memory")
        }
        fill(data.assumingMemoryBound(to: Float.self))
        let status = ov_infer_request_infer(request)
        guard status == OK else {
            throw FacesError(.infer, subject: name, reason: "the network failed (\(status.text))")
        }
        var outputs: [UnsafeBufferPointer<Float>] = []
        for (tensor, shape) in zip(outputTensors, outputShapes) {
            var data: UnsafeMutableRawPointer?
            guard ov_tensor_data(tensor, &data) == OK, let data else {
                throw FacesError(.infer, subject: name, reason: "an output tensor has no memory")
            }
            outputs.append(
                UnsafeBufferPointer(start: data.assumingMemoryBound(to: Float.self), count: shape.reduce(1, *))
            )
        }
        return read(outputs)
    }

    /// The index of the output whose shape holds `count` floats.
    package func outputIndex(count: Int) throws(FacesError) -> Int {
        guard let index = outputShapes.firstIndex(where: { $0.reduce(1, *) == count }) else {
            throw FacesError(
                .loadModel,
                subject: name,
                reason: "no output has \(count) values, only \(outputShapes)"
            )
        }
        return index
    }

    private static func shape(of tensor: OpaquePointer) -> [Int] {
        var shape = ov_shape_t()
        guard ov_tensor_get_shape(tensor, &shape) == OK else { return [] }
        defer { ov_shape_free(&shape) }
        return (0..<Int(shape.rank)).map { Int(shape.dims[$0]) }
    }
}

/// Calls `body` with C strings that live as long as the call.
private func withProperties<R>(
    _ settings: [(String, String)],
    _ body: (UnsafeBufferPointer<ov_property_t>) -> R
) -> R {
    let bytes = settings.map { (Array($0.0.utf8CString), Array($0.1.utf8CString)) }
    func collect(_ index: Int, _ properties: [ov_property_t]) -> R {
        guard index < bytes.count else { return properties.withUnsafeBufferPointer(body) }
        return bytes[index].0.withUnsafeBufferPointer { key in
            bytes[index].1.withUnsafeBufferPointer { value in
                collect(
                    index + 1,
                    properties + [ov_property_t(key: key.baseAddress, value: UnsafeRawPointer(value.baseAddress))]
                )
            }
        }
    }
    return collect(0, [])
}

extension ov_status_e {
    /// The status in words, with the library's own message where it has one.
    fileprivate var text: String {
        let name = ov_get_error_info(self).map { String(cString: $0) } ?? "status \(rawValue)"
        guard let message = ov_get_last_err_msg() else { return name }
        defer { ov_free(message) }
        let first = String(cString: message).split(separator: "\n").last.map(String.init) ?? ""
        return first.isEmpty ? name : "\(name): \(first)"
    }
}
