package io.github.dl4jfuse.listener;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeFalse;

import io.github.dl4jfuse.TestNetworks;
import io.github.dl4jfuse.updater.FusePv;
import io.github.dl4jfuse.updater.GaussNewton;
import io.github.dl4jfuse.updater.Lfso;
import io.github.dl4jfuse.updater.Preconditioned;
import java.io.File;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Collectors;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.junit.jupiter.api.Test;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.learning.config.Adam;
import org.nd4j.linalg.learning.config.IUpdater;

/** The module dl4j-fuse-acceleration is optional: all updaters train where its classes are not on the class path. */
class WithoutAccelerationTest {

    /** Trains with each updater in a fresh JVM. */
    static final class Program {
        public static void main(String[] args) {
            try {
                System.out.println("RESULT found " + Class.forName("io.github.dl4jfuse.acceleration.Acceleration"));
                return;
            } catch (ClassNotFoundException e) {
                System.out.println("RESULT not found");
            }
            for (IUpdater updater : List.of(
                    Preconditioned.adam(),
                    Preconditioned.of(new Adam()),
                    new FusePv(),
                    new Lfso(),
                    GaussNewton.onBatches())) {
                MultiLayerNetwork network = TestNetworks.DENSE.network(updater, DataType.FLOAT);
                DL4JFuse.attach(network);
                for (int step = 0; step < 3; step++) {
                    TestNetworks.fit(network, TestNetworks.DENSE.batch(step, 8, DataType.FLOAT));
                }
                System.out.println("RESULT " + updater.getClass().getSimpleName() + " finite "
                        + Double.isFinite(network.score()) + " "
                        + network.getLayer(0).getClass().getPackageName());
            }
        }
    }

    @Test
    void allUpdatersTrain() throws IOException, InterruptedException {
        String all = System.getProperty("surefire.test.class.path", System.getProperty("java.class.path"));
        String others = Arrays.stream(all.split(File.pathSeparator))
                .filter(entry -> !entry.contains("dl4j-fuse-acceleration") && !entry.contains("dnnl"))
                .collect(Collectors.joining(File.pathSeparator));
        Process process = new ProcessBuilder(
                        Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                        "-cp",
                        others,
                        Program.class.getName())
                .redirectErrorStream(true)
                .start();
        String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        process.waitFor();
        List<String> results = output.lines()
                .filter(line -> line.startsWith("RESULT "))
                .map(line -> line.substring("RESULT ".length()))
                .toList();
        assumeFalse(
                !results.isEmpty() && results.get(0).startsWith("found"), "its classes lie in a folder with core's");
        assertThat(results).as(output).hasSize(6).first().isEqualTo("not found");
        assertThat(results.subList(1, 6))
                .allSatisfy(each -> assertThat(each).contains("finite true", "org.deeplearning4j"));
    }
}
