package io.github.dl4jfuse.tools.machine;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * How a JVM with ND4J is started.
 *
 * @param environment variables that native libraries read when they are loaded, so they must exist before the JVM
 * @param flags options of the JVM
 * @param acceleration whether DL4J's oneDNN helpers are switched on
 */
public record Setting(Map<String, String> environment, List<String> flags, boolean acceleration) {

    /** Threads of OpenMP, which oneDNN and ND4J's own loops use. */
    public static final String OPENMP_THREADS = "OMP_NUM_THREADS";
    /** Threads of OpenBLAS. */
    public static final String BLAS_THREADS = "OPENBLAS_NUM_THREADS";
    /** Processor whose kernels OpenBLAS takes. */
    public static final String BLAS_CORE = "OPENBLAS_CORETYPE";

    /** The newest instructions that oneDNN may use, DL4J's and that of attached layers. */
    public static final String ONEDNN_INSTRUCTIONS = "DNNL_MAX_CPU_ISA";

    /** Without this, JavaCPP reads the size of the process from the system at every allocation. */
    public static final String NO_PHYSICAL_LIMIT = "-Dorg.bytedeco.javacpp.maxphysicalbytes=0";

    /** DL4J as it comes. */
    public static final Setting OUT_OF_THE_BOX = new Setting(Map.of(), List.of(), false);

    /**
     * Returns the setting that the examples run under: one OpenMP thread (more are slower for networks of this size),
     * the right OpenBLAS kernels for the processor, no look at the process size, oneDNN helpers on.
     */
    public static Setting recommended(Cpu cpu) {
        Map<String, String> environment = new LinkedHashMap<>();
        environment.put(OPENMP_THREADS, "1");
        cpu.openBlasCore().ifPresent(core -> environment.put(BLAS_CORE, core));
        return new Setting(environment, List.of(NO_PHYSICAL_LIMIT), true);
    }

    /** Returns this setting with one environment variable more, or without it where the value is null. */
    public Setting with(String variable, String value) {
        Map<String, String> changed = new LinkedHashMap<>(environment);
        if (value == null) {
            changed.remove(variable);
        } else {
            changed.put(variable, value);
        }
        return new Setting(changed, flags, acceleration);
    }
}
