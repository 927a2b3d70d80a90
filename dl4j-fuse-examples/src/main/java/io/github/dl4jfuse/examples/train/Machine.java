package io.github.dl4jfuse.examples.train;

import java.util.List;
import java.util.Map;
import java.util.Properties;
import java.util.stream.Collectors;
import org.nd4j.linalg.factory.Nd4j;

/** What ND4J really runs on. */
final class Machine {

    private Machine() {}

    /** Returns backend, device and threads in one line, as ND4J reports them. */
    static String describe() {
        Properties information = Nd4j.getExecutioner().getEnvironmentInformation();
        String backend = Nd4j.getBackend().getClass().getSimpleName();
        Object devices = information.get("cuda.devicesInformation");
        String device = devices instanceof List<?> list && !list.isEmpty()
                ? list.stream().map(Machine::deviceName).collect(Collectors.joining(", "))
                : "CPU, " + information.get("cores") + " cores, " + information.get("omp.threads")
                        + " OpenMP threads, BLAS " + information.get("blas.vendor");
        return "ND4J " + backend + " on " + device + "; " + System.getProperty("os.name") + " "
                + System.getProperty("os.arch") + ", Java " + System.getProperty("java.version");
    }

    private static String deviceName(Object device) {
        return device instanceof Map<?, ?> map ? String.valueOf(map.get("cuda.deviceName")) : String.valueOf(device);
    }
}
