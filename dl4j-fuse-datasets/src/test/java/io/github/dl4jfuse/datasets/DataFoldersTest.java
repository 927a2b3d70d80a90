package io.github.dl4jfuse.datasets;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import java.io.IOException;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class DataFoldersTest {
    private final Map<String, String> properties = new HashMap<>();
    private final Map<String, String> environment = new HashMap<>();
    private final DataFolders folders = new DataFolders(properties::get, environment::get);

    @TempDir
    Path temp;

    private LocalServer server;
    private Path byProperty;
    private Path byVariable;
    private Path installed;
    private Path cache;
    private FashionMnistFiles set;

    @BeforeEach
    void prepare() throws IOException {
        server = new LocalServer();
        Map<String, byte[]> files = SampleFiles.fashionMnist();
        files.forEach((name, content) -> server.serve(name + ".gz", SampleFiles.gzip(content)));
        byProperty = Files.createDirectory(temp.resolve("property"));
        byVariable = Files.createDirectory(temp.resolve("variable"));
        installed = Files.createDirectory(temp.resolve("installed"));
        cache = temp.resolve("home/.cache/dl4j-fuse/fashion-mnist");
        properties.put("user.home", temp.resolve("home").toString());
        set = new FashionMnistFiles(server.base(), DownloadTest.sha256(files), List.of(installed));
    }

    @AfterEach
    void stopServer() {
        server.close();
    }

    @Test
    void triesThePlacesInTheirOrder() throws IOException {
        assertThat(folders.find(set)).isEqualTo(cache);
        assertThat(server.requests()).as("what the cache lacks is downloaded").hasSize(4);
        assertThat(SampleFiles.namesIn(cache)).hasSize(4);

        assertThat(folders.find(set)).isEqualTo(cache);
        assertThat(server.requests()).as("what the cache holds is not").hasSize(4);

        fill(installed);
        assertThat(folders.find(set)).isEqualTo(installed);

        fill(byVariable);
        environment.put("DL4J_FUSE_DATA", byVariable.toString());
        assertThat(folders.find(set)).isEqualTo(byVariable);

        fill(byProperty);
        properties.put("dl4jfuse.data", byProperty.toString());
        assertThat(folders.find(set)).isEqualTo(byProperty);
        assertThat(server.requests()).hasSize(4);
    }

    @Test
    void readsWhatItDownloaded() {
        assertThat(FashionMnist.find(folders, set).train().name()).isEqualTo("Fashion-MNIST, 15/5 subset");
    }

    @Test
    void takesTheCacheFolderNamedByTheProperty() {
        properties.put("dl4jfuse.cache", temp.resolve("other").toString());
        assertThat(folders.find(set)).isEqualTo(temp.resolve("other/fashion-mnist"));
        assertThat(set.missingIn(temp.resolve("other/fashion-mnist"))).isEmpty();
        assertThat(cache).doesNotExist();
    }

    @Test
    void passesOverAnInstalledFolderThatLacksAFile() throws IOException {
        fill(installed);
        Files.delete(installed.resolve("t10k-images-idx3-ubyte"));
        assertThat(folders.find(set)).isEqualTo(cache);
    }

    @Test
    void ignoresEmptySettings() throws IOException {
        properties.put("dl4jfuse.data", "");
        environment.put("DL4J_FUSE_DATA", " ");
        fill(installed);
        assertThat(folders.find(set)).isEqualTo(installed);
    }

    @Test
    void looksIntoTheSubFolders() throws IOException {
        properties.put("dl4jfuse.data", byProperty.toString());
        fill(byProperty.resolve("fashion-mnist"));
        assertThat(folders.find(set)).isEqualTo(byProperty.resolve("fashion-mnist"));
        fill(byProperty);
        assertThat(folders.find(set)).isEqualTo(byProperty);
    }

    @Test
    void looksIntoTheSubFoldersOfCifarBestFirst() throws IOException {
        CifarFiles cifar = new CifarFiles(URI.create("http://127.0.0.1:1/none"), CifarFiles.OFFICIAL_CHECKSUM);
        environment.put("DL4J_FUSE_DATA", byVariable.toString());
        for (String name : List.of("cifar10/lossless", "cifar10", "cifar-10-batches-bin")) {
            SampleFiles.writePacked(byVariable.resolve(name), SampleFiles.cifarBatches());
            assertThat(folders.find(cifar)).isEqualTo(byVariable.resolve(name));
        }
        assertThat(Cifar10.find(folders, cifar).test().size()).isEqualTo(1);
    }

    @Test
    void downloadsNothingWhenTheNamedFolderLacksAFile() throws IOException {
        fill(installed);
        properties.put("dl4jfuse.data", byProperty.toString());
        fill(byProperty.resolve("fashion-mnist"));
        Files.delete(byProperty.resolve("fashion-mnist/t10k-images-idx3-ubyte"));
        assertThatExceptionOfType(DataException.class)
                .isThrownBy(() -> folders.find(set))
                .withMessageContaining("The folder " + byProperty + ", named by the system property dl4jfuse.data,")
                .withMessageContaining("holds Fashion-MNIST neither directly nor in a sub-folder (fashion-mnist): "
                        + byProperty.resolve("fashion-mnist") + " lacks t10k-images-idx3-ubyte.gz.")
                .withMessageContaining("put them, packed or unpacked, into the folder");
        assertThat(server.requests()).isEmpty();
    }

    @Test
    void refusesANamedFolderThatIsNotThere() {
        environment.put("DL4J_FUSE_DATA", temp.resolve("nowhere").toString());
        assertThatExceptionOfType(DataException.class)
                .isThrownBy(() -> folders.find(set))
                .withMessageContaining("The folder " + temp.resolve("nowhere")
                        + ", named by the environment variable DL4J_FUSE_DATA, does not exist or is no folder.");
        assertThat(server.requests()).isEmpty();
    }

    @Test
    void knowsTheOfficialAddresses() {
        assertThat(FashionMnistFiles.official().remedy(cache))
                .contains("http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/");
        assertThat(FashionMnistFiles.official().installedFolders)
                .containsExactly(Path.of("/usr/share/datasets/fashion-mnist"));
        assertThat(CifarFiles.official().remedy(cache))
                .contains("https://www.cs.toronto.edu/~kriz/cifar-10-binary.tar.gz");
    }

    private static void fill(Path folder) throws IOException {
        SampleFiles.writePlain(folder, SampleFiles.fashionMnist());
    }
}
