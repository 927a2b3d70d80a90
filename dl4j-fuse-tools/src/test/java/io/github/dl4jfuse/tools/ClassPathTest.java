package io.github.dl4jfuse.tools;

import static org.assertj.core.api.Assertions.assertThat;

import org.apache.commons.io.IOUtils;
import org.junit.jupiter.api.Test;

/**
 * Whoever depends on deeplearning4j-core beside the tools gets its commons-io, which Maven takes before any that ours would want.
 * So these tests have to run with that one, too.
 */
class ClassPathTest {

    private static final String OF_DL4J = "2.7";

    @Test
    void commonsIoIsThatOfDl4j() {
        assertThat(IOUtils.class
                        .getProtectionDomain()
                        .getCodeSource()
                        .getLocation()
                        .getPath())
                .as("a library of ours wants another commons-io: take a release of it that does not")
                .endsWith("commons-io-" + OF_DL4J + ".jar");
    }
}
