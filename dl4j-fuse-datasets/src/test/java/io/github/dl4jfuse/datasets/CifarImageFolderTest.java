package io.github.dl4jfuse.datasets;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import java.awt.image.BufferedImage;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Random;
import javax.imageio.ImageIO;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.nd4j.linalg.api.ndarray.INDArray;

class CifarImageFolderTest {
    private static final int RED = 0xFF0000;
    private static final int GREEN = 0x00FF00;
    private static final int BLUE = 0x0000FF;
    private static final int GREY = 0x808080;
    private static final long SEED = 31;

    @TempDir
    Path folder;

    /** Each class has one grey image, airplane a red and a green one before it, and truck a blue JPEG after it. */
    @BeforeEach
    void writeTree() throws IOException {
        for (String part : new String[] {"test", "train"}) {
            for (String name : Cifar10.LABEL_NAMES) {
                Files.createDirectories(folder.resolve(part).resolve(name));
                write(part + "/" + name + "/0002.png", 32, 32, GREY);
            }
        }
        write("train/airplane/0001.png", 32, 32, GREEN);
        write("train/airplane/0000.PNG", 32, 32, RED);
        write("train/truck/0003.jpg", 32, 32, BLUE);
    }

    @Test
    void readsTheChannelsAsRedGreenBlue() {
        ImageData train = Cifar10.from(folder).train();
        assertThat(train.name()).isEqualTo("CIFAR-10 from an image folder");
        assertThat(train.size()).isEqualTo(13);
        INDArray features = train.iterator(13).next().getFeatures();
        for (int position : new int[] {0, 17, 31}) {
            assertThat(pixel(features, 0, position)).containsExactly(1f, 0f, 0f);
            assertThat(pixel(features, 1, position)).containsExactly(0f, 1f, 0f);
            assertThat(pixel(features, 2, position)).containsExactly(128 / 255f, 128 / 255f, 128 / 255f);
            float[] jpeg = pixel(features, 12, position);
            assertThat(jpeg[0]).isLessThan(0.02f);
            assertThat(jpeg[1]).isLessThan(0.02f);
            assertThat(jpeg[2]).isGreaterThan(0.98f);
        }
    }

    @Test
    void aFolderOfJpegsIsCalledACopy() throws IOException {
        for (String name : Cifar10.LABEL_NAMES) {
            Files.delete(folder.resolve("test/" + name + "/0002.png"));
            write("test/" + name + "/0002.jpg", 32, 32, GREY);
        }
        assertThat(Cifar10.from(folder).test().name()).isEqualTo("CIFAR-10, JPEG copy");
        assertThat(Cifar10.from(folder).train().name()).isEqualTo("CIFAR-10 from an image folder");
    }

    @Test
    void placesRowsBeforeColumns() throws IOException {
        BufferedImage image = plain(32, 32, 0);
        image.setRGB(5, 2, RED);
        ImageIO.write(image, "png", folder.resolve("test/airplane/0002.png").toFile());
        INDArray features = Cifar10.from(folder).test().iterator(1).next().getFeatures();
        assertThat(features.getFloat(0, 0, 2, 5)).isEqualTo(1f);
        assertThat(features.sumNumber().floatValue()).isEqualTo(1f);
    }

    @Test
    void takesTheLabelFromTheFolderInTheOfficialOrder() {
        assertThat(FashionMnistTest.firstLabels(Cifar10.from(folder).train(), 20))
                .containsExactly(0, 0, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 9);
        assertThat(FashionMnistTest.firstLabels(Cifar10.from(folder).test(), 20))
                .containsExactly(0, 1, 2, 3, 4, 5, 6, 7, 8, 9);
    }

    @Test
    void prefersTheBatchesOfTheSameFolder() throws IOException {
        SampleFiles.writePlain(folder, SampleFiles.cifarBatches());
        assertThat(Cifar10.from(folder).train().name()).contains("official batches");
    }

    @Test
    void passesOverFilesThatAreNoImagesByName() throws IOException {
        Files.writeString(folder.resolve("train/airplane/notes.txt"), "nothing");
        Files.writeString(folder.resolve("train/airplane/.hidden.png"), "nothing");
        Files.createDirectory(folder.resolve("train/.cache"));
        assertThat(Cifar10.from(folder).train().size()).isEqualTo(13);
    }

    @Test
    void refusesAnImageOfAnotherSize() throws IOException {
        write("train/cat/0007.png", 28, 32, GREY);
        refusesTrain("train/cat/0007.png", "expected an image of 32 x 32 pixels but found 32 x 28");
    }

    @Test
    void refusesAFileThatHoldsNoImage() throws IOException {
        Files.writeString(folder.resolve("train/dog/0001.jpg"), "This is no image.");
        refusesTrain("train/dog/0001.jpg", "at byte 0, expected a PNG or JPEG image");
    }

    @Test
    void refusesATruncatedImage() throws IOException {
        Path file = folder.resolve("train/dog/0002.png");
        byte[] bytes = Files.readAllBytes(file);
        Files.write(file, Arrays.copyOf(bytes, 40));
        refusesTrain("train/dog/0002.png", "cannot be read as an image");
    }

    @Test
    void refusesATruncatedJpegWhereverItBreaksOff() throws IOException {
        Path file = folder.resolve("train/truck/0003.jpg");
        BufferedImage noise = plain(32, 32, 0);
        Random random = new Random(SEED);
        for (int i = 0; i < 32 * 32; i++) {
            noise.setRGB(i % 32, i / 32, random.nextInt());
        }
        ImageIO.write(noise, "jpg", file.toFile());
        byte[] bytes = Files.readAllBytes(file);
        assertThat(Cifar10.from(folder).train().size()).isEqualTo(13);
        for (int missing : new int[] {1, 2, 3, 50, bytes.length / 2, bytes.length - 30}) {
            Files.write(file, Arrays.copyOf(bytes, bytes.length - missing));
            refusesTrain("train/truck/0003.jpg", "");
        }
    }

    @Test
    @Timeout(value = 20, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
    @EnabledOnOs({OS.LINUX, OS.MAC})
    void refusesAPipeInsteadOfWaitingForIt() throws IOException, InterruptedException {
        String pipe = folder.resolve("train/dog/0001.png").toString();
        assertThat(new ProcessBuilder("mkfifo", pipe).start().waitFor()).isZero();
        refusesTrain("train/dog/0001.png", "no regular file");
    }

    @Test
    void refusesAVeryLargeImageByItsHeader() throws IOException {
        Path file = folder.resolve("train/dog/0002.png");
        byte[] bytes = Files.readAllBytes(file);
        ByteBuffer.wrap(bytes).putInt(16, 60_000).putInt(20, 60_000);
        Files.write(file, bytes);
        refusesTrain("train/dog/0002.png", "found 60000 x 60000");
    }

    /** The values of the file, as they are in images with colours. */
    @ParameterizedTest
    @ValueSource(ints = {BufferedImage.TYPE_BYTE_GRAY, BufferedImage.TYPE_USHORT_GRAY, BufferedImage.TYPE_INT_RGB})
    void takesGreyValuesAsTheyAre(int type) throws IOException {
        BufferedImage image = new BufferedImage(32, 32, type);
        int scale = type == BufferedImage.TYPE_USHORT_GRAY ? 257 : 1;
        for (int value = 0; value < 256; value++) {
            for (int band = 0; band < image.getRaster().getNumBands(); band++) {
                image.getRaster().setSample(value % 32, value / 32, band, scale * value);
            }
        }
        ImageIO.write(image, "png", folder.resolve("test/airplane/0002.png").toFile());
        INDArray features = Cifar10.from(folder).test().iterator(1).next().getFeatures();
        for (int value = 0; value < 256; value++) {
            for (int channel = 0; channel < 3; channel++) {
                assertThat(features.getFloat(0, channel, value / 32, value % 32))
                        .as("value %d, channel %d", value, channel)
                        .isEqualTo(value / 255f);
            }
        }
    }

    @Test
    void refusesAClassWithoutImages() throws IOException {
        Files.delete(folder.resolve("train/ship/0002.png"));
        refusesTrain("train/ship", "holds no .png or .jpg file");
    }

    @Test
    void refusesAFolderOfAnotherClass() throws IOException {
        Files.createDirectory(folder.resolve("train/zebra"));
        refusesTrain("train/zebra", "is named after none of CIFAR-10's classes (airplane, ");
    }

    @Test
    void needsAFolderForEachClass() throws IOException {
        Files.delete(folder.resolve("test/frog/0002.png"));
        Files.delete(folder.resolve("test/frog"));
        assertThatExceptionOfType(DataException.class)
                .isThrownBy(() -> Cifar10.from(folder))
                .withMessageContaining("lacks data_batch_1.bin, ");
    }

    private void refusesTrain(String file, String problem) {
        assertThatExceptionOfType(DataException.class)
                .isThrownBy(() -> Cifar10.from(folder).train())
                .withMessageContaining(folder.resolve(file).toString())
                .withMessageContaining(problem)
                .withMessageContaining("cifar-10-binary.tar.gz");
    }

    private void write(String file, int width, int height, int rgb) throws IOException {
        String format = file.endsWith(".jpg") ? "jpg" : "png";
        ImageIO.write(plain(width, height, rgb), format, folder.resolve(file).toFile());
    }

    private static BufferedImage plain(int width, int height, int rgb) {
        BufferedImage image = new BufferedImage(width, height, BufferedImage.TYPE_INT_RGB);
        for (int y = 0; y < height; y++) {
            for (int x = 0; x < width; x++) {
                image.setRGB(x, y, rgb);
            }
        }
        return image;
    }

    private static float[] pixel(INDArray features, int image, int position) {
        float[] values = new float[3];
        for (int channel = 0; channel < 3; channel++) {
            values[channel] = features.getFloat(image, channel, position, position);
        }
        return values;
    }
}
