package io.github.dl4jfuse.datasets;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Checks the real data sets where the environment variable DL4J_FUSE_DATA names a folder that holds them. */
class FullDataTest {
    @TempDir
    Path temp;

    @Test
    void readsTheFullFashionMnist() throws IOException {
        Path folder = folderOf(FashionMnistFiles.official());
        FashionMnist full = FashionMnist.from(folder);
        ImageData train = full.train();
        ImageData test = full.test();
        assumeTrue(train.size() == 60_000, "DL4J_FUSE_DATA holds only a subset of Fashion-MNIST");
        assertThat(train.name()).isEqualTo("Fashion-MNIST");
        assertThat(test.size()).isEqualTo(10_000);
        assertThat(FashionMnistTest.firstLabels(train, 8)).containsExactly(9, 0, 0, 3, 0, 2, 7, 2);
        assertThat(FashionMnistTest.firstLabels(test, 8)).containsExactly(9, 2, 1, 1, 6, 1, 4, 6);
        for (Map.Entry<String, String> file : FashionMnistFiles.OFFICIAL_SHA_256.entrySet()) {
            Path path = FashionMnistFiles.locate(folder, file.getKey());
            boolean packed = path.toString().endsWith(".gz");
            new Checksum("SHA-256", file.getValue(), packed).verify(path);
        }
    }

    @Test
    void makesTheShippedSubsetAgain() throws IOException {
        Path folder = folderOf(FashionMnistFiles.official());
        assumeTrue(FashionMnist.from(folder).train().size() == 60_000, "DL4J_FUSE_DATA holds only a subset");
        FashionMnistSubset.main(new String[] {folder.toString(), temp.toString()});
        FashionMnist made = FashionMnist.from(temp);
        assertThat(sameContent(made.train(), FashionMnist.subset().train())).isTrue();
        assertThat(sameContent(made.test(), FashionMnist.subset().test())).isTrue();
    }

    @Test
    void makesThePartThatIsCarried() throws IOException {
        Path folder = folderOf(FashionMnistFiles.official());
        assumeTrue(FashionMnist.from(folder).train().size() == 60_000, "DL4J_FUSE_DATA holds only a subset");
        FashionMnistSubset.main(new String[] {folder.toString(), temp.toString(), "part"});
        ImageData train = FashionMnist.from(temp).train();
        assertThat(train.name()).isEqualTo("Fashion-MNIST, first 20,000 training images");
        assertThat(train.size()).isEqualTo(20_000);
        assertThat(FashionMnist.from(temp).test().size()).isEqualTo(10_000);
    }

    @Test
    void readsTheBatchesOfCifar() {
        CifarFiles set = CifarFiles.official();
        Path folder = folderOf(set);
        assumeTrue(CifarFiles.missingBatches(folder).isEmpty(), "DL4J_FUSE_DATA holds CIFAR-10 as image files");
        ImageData train = Cifar10.from(folder).train();
        assertThat(train.size()).isLessThanOrEqualTo(50_000);
        assertThat(FashionMnistTest.firstLabels(train, 10)).containsExactly(6, 9, 9, 4, 1, 1, 2, 7, 8, 3);
        assertThat(FashionMnistTest.firstLabels(Cifar10.from(folder).test(), 10))
                .containsExactly(3, 8, 8, 0, 6, 6, 1, 6, 3, 1);
    }

    private static Path folderOf(DataSetFiles set) {
        String root = System.getenv(DataFolders.DATA_VARIABLE);
        assumeTrue(root != null && Files.isDirectory(Path.of(root)), "DL4J_FUSE_DATA names no folder");
        Path folder = Stream.concat(Stream.of(""), set.subFolders.stream())
                .map(Path.of(root)::resolve)
                .filter(candidate -> set.missingIn(candidate).isEmpty())
                .findFirst()
                .orElse(null);
        assumeTrue(folder != null, "DL4J_FUSE_DATA holds no " + set.title);
        return folder;
    }

    private static boolean sameContent(ImageData one, ImageData other) {
        return one.iterator(one.size())
                .next()
                .equals(other.iterator(other.size()).next());
    }
}
