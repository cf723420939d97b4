extension MetricFamily {
    /// Every family that the daemon writes, in the order in which people read them.
    package static let daemon: [MetricFamily] = process + sources + describer + subscribers

    private static let process: [MetricFamily] = [
        MetricFamily("facellm_build_info", .info, help: "Version of the program."),
        MetricFamily(
            "facellm_resident_memory_bytes",
            .gauge,
            unit: "bytes",
            help: "Memory that the process holds in RAM."
        ),
        MetricFamily("facellm_threads", .gauge, help: "Threads of the process."),
        MetricFamily("facellm_open_descriptors", .gauge, help: "Open files and sockets of the process."),
        MetricFamily(
            "facellm_processor_seconds",
            .counter,
            unit: "seconds",
            help: "Processor time used, user and system."
        ),
    ]

    private static let sources: [MetricFamily] = [
        MetricFamily("facellm_source_up", .gauge, help: "1 while the source delivers pictures, else 0."),
        MetricFamily(
            "facellm_source_last_frame_timestamp_seconds",
            .gauge,
            unit: "seconds",
            help: "When the last picture arrived, since 1970."
        ),
        MetricFamily("facellm_source_connections", .counter, help: "Connections that were made."),
        MetricFamily("facellm_source_gaps", .counter, help: "Interruptions of the source's pictures."),
        MetricFamily(
            "facellm_lag_seconds",
            .gauge,
            unit: "seconds",
            help: "From the arrival of the last picture looked at to the publishing of what was seen."
        ),
        MetricFamily("facellm_frames_decoded", .counter, help: "Frames that left the decoder."),
        MetricFamily("facellm_frames_sampled", .counter, help: "Frames that were searched for faces."),
        MetricFamily("facellm_frames_dropped", .counter, help: "Samples that nobody had the time to look at."),
        MetricFamily("facellm_frames_corrupt", .counter, help: "Packets and frames with decode errors."),
        MetricFamily("facellm_faces", .counter, help: "Faces seen, by what became of them."),
        MetricFamily("facellm_crops", .counter, help: "Pictures of faces meant for FaceLLM, by what became of them."),
        MetricFamily("facellm_tracks_started", .counter, help: "Faces followed from picture to picture."),
    ]

    private static let describer: [MetricFamily] = [
        MetricFamily("facellm_engine_ready", .gauge, help: "1 when FaceLLM is loaded, else 0."),
        MetricFamily("facellm_analysis_queue_depth", .gauge, help: "Faces that wait for FaceLLM."),
    ]

    private static let subscribers: [MetricFamily] = [
        MetricFamily("facellm_events_published", .counter, help: "Events with a number in the journal."),
        MetricFamily("facellm_subscribers", .gauge, help: "Subscribers connected now."),
    ]
}
