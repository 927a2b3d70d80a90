package io.github.dl4jfuse;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.io.InputStream;
import java.util.Properties;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** The build runs the same classes on two releases; this is the release that it says. */
class ReleaseTest {

    @ParameterizedTest
    @CsvSource({"org.nd4j, nd4j-api", "org.nd4j, nd4j-native", "org.deeplearning4j, deeplearning4j-nn"})
    void testsRunOnTheReleaseThatTheBuildNames(String group, String artifact) throws IOException {
        String expected = System.getProperty("dl4j.version");
        assumeTrue(
                expected != null, "Maven says which release the tests run on; without Maven there is none to compare.");
        Properties properties = new Properties();
        String path = "/META-INF/maven/" + group + "/" + artifact + "/pom.properties";
        try (InputStream stream = ReleaseTest.class.getResourceAsStream(path)) {
            assumeTrue(stream != null, artifact + " is not on the class path: another backend runs.");
            properties.load(stream);
        }
        assertThat(properties.getProperty("version")).as(artifact).isEqualTo(expected);
    }
}
