package io.github.dl4jfuse.tools;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.InputStream;
import java.util.Properties;
import org.junit.jupiter.api.Test;

/**
 * Whoever depends on deeplearning4j-core beside the tools gets its commons-io, which Maven takes before any that ours would want.
 * So these tests have to run with that one, too.
 */
class ClassPathTest {

    private static final String OF_DL4J = "2.7";

    @Test
    void commonsIoIsThatOfDl4j() throws IOException {
        Properties properties = new Properties();
        try (InputStream file =
                ClassPathTest.class.getResourceAsStream("/META-INF/maven/commons-io/commons-io/pom.properties")) {
            properties.load(file);
        }
        assertThat(properties.getProperty("version"))
                .as("a library of ours wants another commons-io: take a release of it that does not")
                .isEqualTo(OF_DL4J);
    }
}
