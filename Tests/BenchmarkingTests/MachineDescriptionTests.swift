import Benchmarking
import Testing

@Suite struct MachineDescriptionTests {
    @Test func readsTheFirstProcessor() {
        let text = """
            processor\t: 0
            model name\t: Some CPU @ 2.50GHz: fast
            flags\t\t: fpu avx2 fma avx512f avx512_vnni sse2

            processor\t: 1
            model name\t: Another
            flags\t\t: fpu
            """
        let machine = MachineDescription(cpuinfo: text, cores: 2, build: "release", loadAverage: 0.25)
        #expect(machine.processor == "Some CPU @ 2.50GHz: fast")
        #expect(machine.features == ["avx2", "fma", "avx512f", "avx512_vnni"])
        #expect(
            machine.line
                == "machine: Some CPU @ 2.50GHz: fast, 2 cores, avx2 fma avx512f avx512_vnni; release build; load 0.2"
        )
    }

    @Test func readsArm() {
        let text = "processor\t: 0\nFeatures\t: fp asimd asimddp sve\nCPU part\t: 0xd40\n"
        let machine = MachineDescription(cpuinfo: text, cores: 4, build: "release", loadAverage: 0)
        #expect(machine.processor == "processor part 0xd40")
        #expect(machine.features == ["asimd", "asimddp", "sve"])
    }

    @Test(arguments: ["", "nonsense", ":::\n:", "flags"]) func survivesNonsense(text: String) {
        let machine = MachineDescription(cpuinfo: text, cores: 1, build: "release", loadAverage: 0)
        #expect(machine.processor == "unknown processor")
        #expect(machine.line.contains("no known vector unit"))
    }

    @Test func currentMachineHasCores() {
        #expect(MachineDescription.current.cores > 0)
        #expect(["debug", "release"].contains(MachineDescription.current.build))
    }
}

@Suite struct PeakMemoryTests {
    @Test func readsHighWaterMark() {
        #expect(PeakMemory.mebibytes(status: "VmPeak:\t 9 kB\nVmHWM:\t  2048 kB\nVmRSS:\t 1 kB\n") == 2)
    }

    @Test(arguments: ["", "VmHWM:", "VmHWM: 12 MB", "VmHWM: x kB"]) func refusesOthers(status: String) {
        #expect(PeakMemory.mebibytes(status: status) == nil)
    }
}
