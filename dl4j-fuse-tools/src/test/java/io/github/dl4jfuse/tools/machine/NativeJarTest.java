package io.github.dl4jfuse.tools.machine;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class NativeJarTest {

    @TempDir
    Path folder;

    @Test
    void readsTheClassifierFromTheName() {
        NativeJar jar = NativeJar.parse(Path.of("lib", "nd4j-native-1.0.0-M2.1-linux-x86_64-onednn-avx2.jar"))
                .orElseThrow();
        assertThat(jar.version()).isEqualTo("1.0.0-M2.1");
        assertThat(jar.platform()).isEqualTo("linux-x86_64");
        assertThat(jar.extension()).isEqualTo("-onednn-avx2");
        assertThat(jar.classifier()).isEqualTo("linux-x86_64-onednn-avx2");
        assertThat(NativeJar.parse(Path.of("nd4j-native-1.0.0-M2.1-macosx-arm64.jar"))
                        .orElseThrow()
                        .extension())
                .isEmpty();
    }

    @Test
    void knowsTheOtherJarsFromTheNativeOne() {
        for (String other : List.of(
                "nd4j-native-1.0.0-M2.1.jar",
                "nd4j-native-api-1.0.0-M2.1.jar",
                "nd4j-native-preset-1.0.0-M2.1-linux-x86_64.jar",
                "nd4j-native-1.0.0-M2.1-sources.jar",
                "openblas-0.3.19-1.5.7-linux-x86_64.jar")) {
            assertThat(NativeJar.parse(Path.of(other))).as(other).isEmpty();
        }
    }

    @Test
    void findsSiblingsOfItsVersionAndPlatform() throws IOException {
        for (String name :
                List.of("9.9-linux-x86_64", "9.9-linux-x86_64-avx2", "9.9-linux-arm64", "9.8-linux-x86_64-avx2")) {
            Files.createFile(folder.resolve("nd4j-native-1." + name + ".jar"));
        }
        NativeJar jar = NativeJar.parse(folder.resolve("nd4j-native-1.9.9-linux-x86_64.jar"))
                .orElseThrow();
        assertThat(jar.siblings()).extracting(NativeJar::extension).containsExactly("", "-avx2");
    }
}
