package io.github.dl4jfuse.datasets;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import java.io.IOException;
import java.net.ServerSocket;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.stream.Collectors;
import org.assertj.core.api.ThrowableAssertAlternative;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

class DownloadTest {
    private static final String BY_HAND = "get the file by hand and put it into the folder.";
    private static final byte[] CONTENT = SampleFiles.idxImages(50, 28, 28);
    private static final Checksum CHECKSUM = new Checksum("MD5", SampleFiles.digest("MD5", CONTENT), false);

    @TempDir
    Path temp;

    private Path folder;
    private LocalServer server;

    @BeforeEach
    void startServer() throws IOException {
        folder = temp.resolve("new").resolve("folder");
        server = new LocalServer();
    }

    @AfterEach
    void stopServer() {
        server.close();
    }

    @Test
    void keepsACompleteFile() throws IOException {
        server.serve("file.bin", CONTENT);
        Download.fetch(server.base().resolve("file.bin"), folder.resolve("file.bin"), CHECKSUM, BY_HAND);
        assertThat(SampleFiles.namesIn(folder)).containsExactly("file.bin");
        assertThat(Files.readAllBytes(folder.resolve("file.bin"))).isEqualTo(CONTENT);
    }

    @Test
    void checksTheUnpackedContentWhereAsked() throws IOException {
        server.serve("file.gz", SampleFiles.gzip(CONTENT));
        Checksum unpacked =
                new Checksum("SHA-256", SampleFiles.digest("SHA-256", CONTENT).toUpperCase(Locale.ROOT), true);
        Download.fetch(server.base().resolve("file.gz"), folder.resolve("file.gz"), unpacked, BY_HAND);
        assertThat(SampleFiles.namesIn(folder)).containsExactly("file.gz");
    }

    @Test
    void refusesAWrongChecksum() throws IOException {
        byte[] changed = CONTENT.clone();
        changed[1000]++;
        server.serve("file.bin", changed);
        fails(CHECKSUM)
                .withMessageContaining("its MD5 is " + SampleFiles.digest("MD5", changed) + " instead of "
                        + SampleFiles.digest("MD5", CONTENT));
        assertThat(SampleFiles.namesIn(folder)).isEmpty();
    }

    @Test
    void keepsAnEarlierFileWhenTheNewOneIsWrong() throws IOException {
        Files.createDirectories(folder);
        Files.writeString(folder.resolve("file.bin"), "earlier");
        server.serve("file.bin", new byte[10]);
        fails(CHECKSUM);
        assertThat(SampleFiles.namesIn(folder)).containsExactly("file.bin");
        assertThat(folder.resolve("file.bin")).hasContent("earlier");
    }

    @Test
    void refusesAPageInPlaceOfAPackedFile() throws IOException {
        server.serve("file.bin", "<html>Please log in.</html>".getBytes(StandardCharsets.UTF_8));
        fails(new Checksum("SHA-256", "00", true)).withMessageContaining("not in the .gz format");
        assertThat(SampleFiles.namesIn(folder)).isEmpty();
    }

    @Test
    void refusesAConnectionThatBreaksOff() throws IOException {
        server.serve("file.bin", Arrays.copyOf(CONTENT, 20_000), CONTENT.length);
        fails(CHECKSUM);
        assertThat(SampleFiles.namesIn(folder)).isEmpty();
    }

    @Test
    void refusesAConnectionThatBreaksOffEvenWithTheChecksumOfItsBeginning() throws IOException {
        byte[] beginning = Arrays.copyOf(CONTENT, 20_000);
        server.serve("file.bin", beginning, CONTENT.length);
        fails(new Checksum("MD5", SampleFiles.digest("MD5", beginning), false));
        assertThat(SampleFiles.namesIn(folder)).isEmpty();
    }

    @Test
    @Timeout(value = 20, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
    void givesUpOnAServerThatFallsSilent() throws IOException {
        server.stallAfter("file.bin", Arrays.copyOf(CONTENT, 20_000));
        fails(CHECKSUM).withMessageContaining("timed out");
        assertThat(SampleFiles.namesIn(folder)).isEmpty();
    }

    @Test
    void reportsAMissingFile() throws IOException {
        fails(CHECKSUM).withMessageContaining("the server answered with status 404");
        assertThat(SampleFiles.namesIn(folder)).isEmpty();
    }

    @Test
    void reportsAServerThatIsNotThere() throws IOException {
        int unused;
        try (ServerSocket socket = new ServerSocket(0)) {
            unused = socket.getLocalPort();
        }
        URI address = URI.create("http://127.0.0.1:" + unused + "/file.bin");
        assertThatExceptionOfType(DataException.class)
                .isThrownBy(() -> Download.fetch(address, folder.resolve("file.bin"), CHECKSUM, BY_HAND))
                .withMessageContaining("file.bin could not be fetched from " + address)
                .withMessageEndingWith(BY_HAND);
        assertThat(SampleFiles.namesIn(folder)).isEmpty();
    }

    @Test
    void reportsAFolderThatCannotBeMade() throws IOException {
        server.serve("file.bin", CONTENT);
        Files.writeString(temp.resolve("new"), "a file where the folder should be");
        fails(CHECKSUM);
        assertThat(SampleFiles.namesIn(temp)).containsExactly("new");
    }

    @Test
    void fetchesTheFilesOfFashionMnistThatAreMissing() throws IOException {
        Map<String, byte[]> files = SampleFiles.fashionMnist();
        files.forEach((name, content) -> server.serve(name + ".gz", SampleFiles.gzip(content)));
        FashionMnistFiles set = fashionMnist(files);
        Files.createDirectories(folder);
        Files.write(folder.resolve("t10k-labels-idx1-ubyte"), files.get("t10k-labels-idx1-ubyte"));
        set.downloadTo(folder);
        assertThat(server.requests())
                .containsExactly(
                        "/train-images-idx3-ubyte.gz", "/train-labels-idx1-ubyte.gz", "/t10k-images-idx3-ubyte.gz");
        assertThat(set.missingIn(folder)).isEmpty();
        assertThat(FashionMnist.from(folder).test().size()).isEqualTo(5);
    }

    @Test
    void saysHowToGetFashionMnistByHand() throws IOException {
        FashionMnistFiles set = fashionMnist(SampleFiles.fashionMnist());
        assertThatExceptionOfType(DataException.class)
                .isThrownBy(() -> set.downloadTo(folder))
                .withMessage("train-images-idx3-ubyte.gz could not be fetched from " + server.base()
                        + "train-images-idx3-ubyte.gz (the server answered with status 404): get the file by hand"
                        + " from that address and put it into the folder " + folder + ".");
        assertThat(SampleFiles.namesIn(folder)).isEmpty();
    }

    @Test
    void unpacksTheBatchesOfCifar() throws IOException {
        byte[] archive = SampleFiles.tarGz(archiveEntries());
        cifar(archive).downloadTo(folder);
        assertThat(SampleFiles.namesIn(folder))
                .containsExactly(
                        "data_batch_1.bin",
                        "data_batch_2.bin",
                        "data_batch_3.bin",
                        "data_batch_4.bin",
                        "data_batch_5.bin",
                        "test_batch.bin");
        assertThat(Cifar10.from(folder).train().size()).isEqualTo(10);
    }

    @Test
    void writesNothingOutsideTheFolder() throws IOException {
        Map<String, byte[]> entries = new LinkedHashMap<>();
        entries.put("../escaped.bin", new byte[] {1});
        entries.put("cifar-10-batches-bin/../../escaped.bin", new byte[] {1});
        entries.put("/escaped.bin", new byte[] {1});
        entries.put("cifar-10-batches-bin/readme.html", new byte[] {1});
        entries.put("elsewhere/test_batch.bin", new byte[] {1});
        entries.putAll(archiveEntries());
        cifar(SampleFiles.tarGz(entries)).downloadTo(folder);
        assertThat(SampleFiles.namesIn(folder)).hasSize(6).doesNotContain("escaped.bin", "readme.html");
        assertThat(folder.resolve("test_batch.bin")).hasSize(SampleFiles.CIFAR_RECORD);
        assertThat(SampleFiles.namesIn(folder.getParent())).containsExactly("folder");
        assertThat(SampleFiles.namesIn(temp)).containsExactly("new");
    }

    @Test
    void leavesNothingOfAnArchiveThatLacksABatch() throws IOException {
        Map<String, byte[]> entries = archiveEntries();
        entries.remove("cifar-10-batches-bin/data_batch_4.bin");
        CifarFiles set = cifar(SampleFiles.tarGz(entries));
        assertThatExceptionOfType(DataException.class)
                .isThrownBy(() -> set.downloadTo(folder))
                .withMessageStartingWith("The archive fetched from " + server.base())
                .withMessageContaining("lacks cifar-10-batches-bin/data_batch_4.bin");
        assertThat(SampleFiles.namesIn(folder)).isEmpty();
    }

    @Test
    void leavesNothingOfAnArchiveWithABatchThatIsTooLarge() throws IOException {
        Map<String, byte[]> entries = archiveEntries();
        entries.put("cifar-10-batches-bin/test_batch.bin", new byte[10_000 * SampleFiles.CIFAR_RECORD + 1]);
        CifarFiles set = cifar(SampleFiles.tarGz(entries));
        assertThatExceptionOfType(DataException.class)
                .isThrownBy(() -> set.downloadTo(folder))
                .withMessageContaining("test_batch.bin has 30730001 bytes instead of the 30730000 of a batch");
        assertThat(SampleFiles.namesIn(folder)).isEmpty();
    }

    @Test
    void leavesNothingOfAnArchiveThatBreaksOff() throws IOException {
        byte[] archive = SampleFiles.tarGz(archiveEntries());
        CifarFiles set = cifar(Arrays.copyOf(archive, archive.length * 2 / 3));
        assertThatExceptionOfType(DataException.class)
                .isThrownBy(() -> set.downloadTo(folder))
                .withMessageContaining("could not be unpacked");
        assertThat(SampleFiles.namesIn(folder)).isEmpty();
    }

    @Test
    void leavesNothingOfACifarDownloadWithAWrongChecksum() throws IOException {
        server.serve("cifar-10-binary.tar.gz", SampleFiles.tarGz(archiveEntries()));
        CifarFiles set = new CifarFiles(server.base().resolve("cifar-10-binary.tar.gz"), CHECKSUM);
        assertThatExceptionOfType(DataException.class)
                .isThrownBy(() -> set.downloadTo(folder))
                .withMessageContaining("cifar-10-binary.tar.gz could not be fetched from " + server.base())
                .withMessageContaining("unpack it and put its *.bin files into the folder " + folder);
        assertThat(SampleFiles.namesIn(folder)).isEmpty();
    }

    @Test
    void leavesAnArchivePutThereByHandAlone() throws IOException {
        Files.createDirectories(folder);
        Files.writeString(folder.resolve("cifar-10-binary.tar.gz"), "by hand");
        CifarFiles set = new CifarFiles(server.base().resolve("nothing.tar.gz"), CHECKSUM);
        assertThatExceptionOfType(DataException.class).isThrownBy(() -> set.downloadTo(folder));
        cifar(SampleFiles.tarGz(archiveEntries())).downloadTo(folder);
        assertThat(SampleFiles.namesIn(folder)).hasSize(7);
        assertThat(folder.resolve("cifar-10-binary.tar.gz")).hasContent("by hand");
    }

    private ThrowableAssertAlternative<DataException> fails(Checksum checksum) {
        URI address = server.base().resolve("file.bin");
        Path target = folder.resolve("file.bin");
        return assertThatExceptionOfType(DataException.class)
                .isThrownBy(() -> Download.fetch(address, target, checksum, BY_HAND, Duration.ofSeconds(2)))
                .withMessageStartingWith("file.bin could not be fetched from " + address + " (")
                .withMessageEndingWith("): " + BY_HAND);
    }

    private FashionMnistFiles fashionMnist(Map<String, byte[]> files) {
        return new FashionMnistFiles(server.base(), sha256(files), List.of());
    }

    static Map<String, String> sha256(Map<String, byte[]> files) {
        return files.entrySet().stream()
                .collect(Collectors.toMap(Map.Entry::getKey, file -> SampleFiles.digest("SHA-256", file.getValue())));
    }

    private static Map<String, byte[]> archiveEntries() {
        Map<String, byte[]> entries = new LinkedHashMap<>();
        SampleFiles.cifarBatches().forEach((name, content) -> entries.put("cifar-10-batches-bin/" + name, content));
        return entries;
    }

    private CifarFiles cifar(byte[] archive) {
        server.serve("cifar-10-binary.tar.gz", archive);
        return new CifarFiles(
                server.base().resolve("cifar-10-binary.tar.gz"),
                new Checksum("MD5", SampleFiles.digest("MD5", archive), false));
    }
}
