package io.github.dl4jfuse.acceleration;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.github.dl4jfuse.TestNetworks;
import java.io.IOException;
import java.lang.ref.Reference;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.deeplearning4j.nn.layers.LayerHelper;
import org.deeplearning4j.nn.layers.mkldnn.MKLDNNBatchNormHelper;
import org.deeplearning4j.nn.layers.mkldnn.MKLDNNConvHelper;
import org.deeplearning4j.nn.layers.mkldnn.MKLDNNSubsamplingHelper;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.junit.jupiter.api.Test;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.learning.config.Adam;

/** The switch itself; what runs behind it is the matter of {@link OneDnnAgreementTest}. */
class AccelerationTest {

    /** Enables in a fresh JVM, where nothing has been decided yet; "network" makes one before. */
    static final class Program {
        public static void main(String[] args) {
            MultiLayerNetwork network = args.length > 0 ? TestNetworks.DENSE.network(new Adam(), DataType.FLOAT) : null;
            try {
                System.out.println("RESULT " + Acceleration.enable());
            } catch (IllegalStateException e) {
                System.out.println("RESULT " + e.getMessage());
            } finally {
                Reference.reachabilityFence(network);
            }
        }
    }

    private static String run(List<String> options, String... args) throws IOException, InterruptedException {
        List<String> command = new ArrayList<>();
        command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
        command.addAll(options);
        command.addAll(
                List.of("-cp", System.getProperty("surefire.test.class.path", System.getProperty("java.class.path"))));
        command.add(Program.class.getName());
        command.addAll(List.of(args));
        Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
        String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        process.waitFor();
        return output.lines()
                .filter(line -> line.startsWith("RESULT "))
                .findFirst()
                .orElse(output);
    }

    private static boolean hasOneDnn() {
        return System.getProperty("surefire.test.class.path", System.getProperty("java.class.path"))
                .contains("-onednn");
    }

    /** Where ND4J still has the class that DL4J asks (1.0.0-M1.1), nothing is to be done. */
    private static String expected(String otherwise) {
        return EnvironmentAdapter.isNeedless() ? "state=LEFT_TO_DL4J" : otherwise;
    }

    @Test
    void switchesOnWhereTheBackendHasOneDnn() throws Exception {
        assertThat(run(List.of())).contains(expected(hasOneDnn() ? "state=ON" : "built without oneDNN"));
    }

    @Test
    void comesBeforeTheFirstNetwork() throws Exception {
        assertThat(run(List.of(), "network"))
                .contains("comes before the first network, but 1 exist already")
                .contains("call it in the first line of main");
    }

    @Test
    void respectsTheUsersWish() throws Exception {
        assertThat(run(List.of("-Dorg.eclipse.deeplearning4j.helpers.disable=true")))
                .contains(expected("switches them off"));
    }

    @Test
    void aSecondCallChangesNothing() {
        assumeTrue(Acceleration.outcome() != null, "the tests run without acceleration");
        TestNetworks.DENSE.network(new Adam(), DataType.FLOAT);
        assertThat(Acceleration.enable()).isSameAs(Acceleration.outcome());
    }

    @Test
    void countsTheNetworksThatAreAlive() {
        MultiLayerNetwork one = TestNetworks.DENSE.network(new Adam(), DataType.FLOAT);
        Object two = TestNetworks.GRAPH.create(new Adam(), DataType.FLOAT, TestNetworks.PLAIN);
        try {
            assertThat(LiveNetworks.count()).isGreaterThanOrEqualTo(2);
        } finally {
            Reference.reachabilityFence(one);
            Reference.reachabilityFence(two);
        }
    }

    @Test
    void helpersComeDerivedFromThoseOfDl4j() throws Exception {
        ClassLoader parent = getClass().getClassLoader();
        ClassLoader loader = EnvironmentAdapter.loader(parent);
        for (Class<?> helper : List.of(MKLDNNConvHelper.class, MKLDNNBatchNormHelper.class)) {
            Class<?> ours = Class.forName(helper.getName(), true, loader);
            assertThat(ours).isNotSameAs(helper).isSameAs(Class.forName(helper.getName(), true, loader));
            assertThat(ours.getConstructor(DataType.class).newInstance(DataType.FLOAT))
                    .isInstanceOf(helper);
            assertThat(Class.forName(helper.getName(), true, parent)).isSameAs(helper);
        }
        Class<?> pooling = Class.forName(MKLDNNSubsamplingHelper.class.getName(), true, loader);
        Object refusing = pooling.getConstructor(DataType.class).newInstance(DataType.FLOAT);
        assertThat(((LayerHelper) refusing).checkSupported()).isFalse();
    }

    @Test
    void onlyTheOldNameIsAnswered() throws Exception {
        assumeTrue(!EnvironmentAdapter.isNeedless(), "this release of ND4J has the class");
        ClassLoader parent = getClass().getClassLoader();
        ClassLoader loader = EnvironmentAdapter.loader(parent);
        Class<?> answer = Class.forName(EnvironmentAdapter.OLD_NAME, true, loader);
        assertThat(answer.getName()).isEqualTo(EnvironmentAdapter.OLD_NAME);
        Object instance = answer.getMethod("getInstance").invoke(null);
        assertThat(answer.getMethod("isUseMKLDNN").invoke(instance)).isEqualTo(true);
        assertThat(Class.forName(MultiLayerNetwork.class.getName(), true, loader))
                .isSameAs(MultiLayerNetwork.class);
        assertThatThrownBy(() -> Class.forName("org.nd4j.nativeblas.NoSuchClass", true, loader))
                .isInstanceOf(ClassNotFoundException.class);
        assertThatThrownBy(() -> Class.forName(EnvironmentAdapter.OLD_NAME, true, parent))
                .as("the class path itself stays as it was")
                .isInstanceOf(ClassNotFoundException.class);
    }
}
