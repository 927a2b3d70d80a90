package io.github.dl4jfuse.datasets;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import org.assertj.core.api.ThrowableAssertAlternative;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class IdxFileTest {
    private static final ImageShape SMALL = new ImageShape(1, 2, 3);
    private static final String REMEDY = "Get it from somewhere.";

    @TempDir
    Path folder;

    @Test
    void readsPlainLabels() throws IOException {
        assertThat(labels("labels", SampleFiles.idxLabels(3, 0, 9))).containsExactly(3, 0, 9);
    }

    @Test
    void readsPackedLabels() throws IOException {
        assertThat(labels("labels.gz", SampleFiles.gzip(SampleFiles.idxLabels(3, 0, 9))))
                .containsExactly(3, 0, 9);
    }

    @Test
    void readsPlainAndPackedImages() throws IOException {
        byte[] expected = {0, 1, 2, 3, 4, 5, 1, 2, 3, 4, 5, 6};
        assertThat(images("images", SampleFiles.idxImages(2, 2, 3), 2)).containsExactly(expected);
        assertThat(images("images.gz", SampleFiles.gzip(SampleFiles.idxImages(2, 2, 3)), 2))
                .containsExactly(expected);
    }

    @Test
    void readsTheCountAloneFromTheHeader() throws IOException {
        Path file = Files.write(folder.resolve("labels"), Arrays.copyOf(SampleFiles.idxLabels(new int[700]), 8));
        try (DataFile open = DataFile.open(file, REMEDY)) {
            assertThat(IdxFile.readLabelCount(open)).isEqualTo(700);
        }
    }

    @Test
    void refusesAWrongMagicNumber() {
        rejectsLabels("labels", SampleFiles.idxImages(2, 2, 3))
                .withMessageContaining("at byte 0, expected the magic number 0x00000801")
                .withMessageContaining("found 0x00000803");
        rejectsImages("images", SampleFiles.idxLabels(1, 2), 2)
                .withMessageContaining("at byte 0, expected the magic number 0x00000803")
                .withMessageContaining("found 0x00000801");
    }

    @Test
    void refusesAnEmptyFile() {
        rejectsLabels("labels", new byte[0])
                .withMessageContaining("at byte 0, expected 4 bytes of the magic number but found the end of the file");
    }

    @Test
    void refusesAHeaderThatBreaksOff() {
        rejectsImages("images", Arrays.copyOf(SampleFiles.idxImages(2, 2, 3), 14), 2)
                .withMessageContaining("at byte 12, expected 4 bytes of the number of columns but found only 2 bytes");
    }

    @Test
    void refusesTruncatedContent() {
        rejectsLabels("labels", Arrays.copyOf(SampleFiles.idxLabels(1, 2, 3), 10))
                .withMessageContaining("at byte 8, expected 3 bytes of labels but found only 2 bytes");
        rejectsImages("images", Arrays.copyOf(SampleFiles.idxImages(2, 2, 3), 20), 2)
                .withMessageContaining("at byte 16, expected 12 bytes of pixels but found only 4 bytes");
    }

    @Test
    void refusesTrailingBytes() {
        rejectsLabels("labels", Arrays.copyOf(SampleFiles.idxLabels(1, 2, 3), 12))
                .withMessageContaining("at byte 11, expected the end of the file but found further bytes");
        rejectsImages("images", Arrays.copyOf(SampleFiles.idxImages(2, 2, 3), 29), 2)
                .withMessageContaining("at byte 28, expected the end of the file but found further bytes");
    }

    @Test
    void refusesAnotherNumberOfImagesThanOfLabels() {
        rejectsImages("images", SampleFiles.idxImages(2, 2, 3), 3)
                .withMessageContaining("at byte 4, expected 3 images, as many as there are labels but found 2");
    }

    @Test
    void refusesALabelOutOfRange() {
        rejectsLabels("labels", SampleFiles.idxLabels(1, 10, 3))
                .withMessageContaining("at byte 9, expected a label from 0 to 9 but found 10");
        rejectsLabels("labels", SampleFiles.idxLabels(1, 2, 255))
                .withMessageContaining("at byte 10, expected a label from 0 to 9 but found 255");
    }

    @Test
    void refusesOtherDimensions() {
        rejectsImages("images", SampleFiles.idxImages(2, 3, 3), 2)
                .withMessageContaining("at byte 8, expected 2 rows but found 3");
        rejectsImages("images", SampleFiles.idxImages(2, 2, 4), 2)
                .withMessageContaining("at byte 12, expected 3 columns but found 4");
    }

    @Test
    void refusesACountThatCannotBe() {
        byte[] none = ByteBuffer.allocate(8).putInt(0x0801).putInt(0).array();
        rejectsLabels("labels", none).withMessageContaining("at byte 4").withMessageContaining("but found 0.");
        byte[] huge = ByteBuffer.allocate(8).putInt(0x0801).putInt(-1).array();
        rejectsLabels("labels", huge).withMessageContaining("at byte 4").withMessageContaining("found 4294967295");
        byte[] manyImages =
                ByteBuffer.allocate(16).putInt(0x0803).putInt(Integer.MAX_VALUE).array();
        rejectsImages("images", manyImages, Integer.MAX_VALUE)
                .withMessageContaining("at byte 4, expected a number of images between 1 and 1000000");
    }

    @Test
    void refusesALargeCountWithoutTakingTheMemory() {
        byte[] claim =
                ByteBuffer.allocate(9).putInt(0x0801).putInt(IdxFile.MOST).array();
        rejectsLabels("labels", claim).withMessageContaining("at byte 8").withMessageContaining("only 1 bytes");
    }

    @Test
    void refusesALittleFileThatUnpacksToVeryManyLabels() {
        byte[] bomb = SampleFiles.gzip(SampleFiles.idxLabels(new int[IdxFile.MOST + 1]));
        assertThat(bomb).hasSizeLessThan(2_000);
        rejectsLabels("labels.gz", bomb)
                .withMessageContaining("at byte 4 of its unpacked content, expected a number of labels between 1 and"
                        + " 1000000 but found 1000001");
    }

    @Test
    void refusesWhatIsNotGzip() {
        rejectsLabels("labels.gz", SampleFiles.idxLabels(1, 2, 3))
                .withMessageContaining("at byte 0 of its unpacked content, expected a file packed by gzip");
    }

    @Test
    void refusesAGzipFileThatBreaksOff() {
        byte[] packed = SampleFiles.gzip(SampleFiles.idxLabels(new int[100_000]));
        rejectsLabels("labels.gz", Arrays.copyOf(packed, packed.length - 60))
                .withMessageMatching("(?s).*at byte [1-9][0-9]* of its unpacked content, expected labels"
                        + " but found damaged or missing data.*");
    }

    @Test
    void refusesAGzipFileWithoutItsTrailer() {
        byte[] packed = SampleFiles.gzip(SampleFiles.idxLabels(1, 2, 3));
        rejectsLabels("labels.gz", Arrays.copyOf(packed, packed.length - 3))
                .withMessageContaining("damaged or missing data");
    }

    @Test
    void refusesAGzipFileWithAWrongChecksum() {
        byte[] packed = SampleFiles.gzip(SampleFiles.idxLabels(1, 2, 3));
        packed[packed.length - 8] ^= 1;
        rejectsLabels("labels.gz", packed).withMessageContaining("damaged or missing data");
    }

    @Test
    void refusesBytesAfterTheGzipData() {
        byte[] packed = SampleFiles.gzip(SampleFiles.idxLabels(1, 2, 3));
        rejectsLabels("labels.gz", SampleFiles.concat(packed, new byte[] {7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7}))
                .withMessageContaining("of its unpacked content");
    }

    @Test
    void refusesAMissingFile() {
        Path file = folder.resolve("labels");
        assertThatExceptionOfType(DataException.class)
                .isThrownBy(() -> DataFile.open(file, REMEDY))
                .withMessageContaining(file.toString())
                .withMessageContaining("cannot be opened")
                .withMessageEndingWith(REMEDY);
    }

    @Test
    void refusesAMissingResource() {
        assertThatExceptionOfType(DataException.class)
                .isThrownBy(() -> DataFile.ofResource("nothing.gz", REMEDY))
                .withMessageContaining("nothing.gz")
                .withMessageEndingWith(REMEDY);
    }

    private byte[] labels(String name, byte[] content) throws IOException {
        try (DataFile file = DataFile.open(Files.write(folder.resolve(name), content), REMEDY)) {
            return IdxFile.readLabels(file, 10);
        }
    }

    private byte[] images(String name, byte[] content, int count) throws IOException {
        try (DataFile file = DataFile.open(Files.write(folder.resolve(name), content), REMEDY)) {
            return IdxFile.readImages(file, count, SMALL);
        }
    }

    private ThrowableAssertAlternative<DataException> rejectsLabels(String name, byte[] content) {
        return assertThatExceptionOfType(DataException.class)
                .isThrownBy(() -> labels(name, content))
                .withMessageContaining(folder.resolve(name).toString())
                .withMessageEndingWith(REMEDY);
    }

    private ThrowableAssertAlternative<DataException> rejectsImages(String name, byte[] content, int count) {
        return assertThatExceptionOfType(DataException.class)
                .isThrownBy(() -> images(name, content, count))
                .withMessageContaining(folder.resolve(name).toString())
                .withMessageEndingWith(REMEDY);
    }
}
