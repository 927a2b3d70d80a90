package io.github.dl4jfuse.tools.machine;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.Set;

/**
 * The processor, as far as the operating system tells without native code.
 *
 * @param model its name, or "unknown"
 * @param flags its instruction set extensions in Linux's spelling; empty where they are not known (other systems)
 */
public record Cpu(String model, Set<String> flags) {

    private static final Path CPUINFO = Path.of("/proc/cpuinfo");
    private static final List<String> AVX512 = List.of("avx512f", "avx512cd", "avx512bw", "avx512dq", "avx512vl");

    /** Returns the processor of this machine. */
    public static Cpu detect() {
        try {
            return parse(Files.readString(CPUINFO));
        } catch (IOException e) {
            return new Cpu("unknown", Set.of());
        }
    }

    static Cpu parse(String cpuinfo) {
        String model = field(cpuinfo, "model name").orElse("unknown");
        String flags = field(cpuinfo, "flags").orElse("");
        return new Cpu(model, Set.of(flags.isEmpty() ? new String[0] : flags.split("\\s+")));
    }

    private static Optional<String> field(String cpuinfo, String name) {
        return cpuinfo.lines()
                .filter(line -> line.matches(name + "\\s*:.*"))
                .map(line -> line.substring(line.indexOf(':') + 1).trim())
                .findFirst();
    }

    /** Returns whether the processor has AVX2. */
    public boolean hasAvx2() {
        return flags.contains("avx2");
    }

    /** Returns whether it has the AVX-512 extensions that OpenBLAS's SkylakeX kernels need. */
    public boolean hasAvx512() {
        return flags.containsAll(AVX512);
    }

    /**
     * Returns the OpenBLAS kernels to ask for: OpenBLAS 0.3.19, the release that ND4J brings, takes much older ones on
     * processors newer than itself (SSE3 kernels on a recent EPYC). Empty where nothing is known.
     */
    public Optional<String> openBlasCore() {
        return hasAvx512() ? Optional.of("SkylakeX") : hasAvx2() ? Optional.of("Haswell") : Optional.empty();
    }

    /** Returns whether a native library with the given classifier extension (such as "-onednn-avx2") can run here. */
    public boolean canRun(String extension) {
        String name = extension.toLowerCase(Locale.ROOT);
        if (name.contains("avx512")) {
            return hasAvx512();
        }
        return !name.contains("avx2") || hasAvx2();
    }
}
