package io.github.dl4jfuse.datasets;

import java.awt.color.ColorSpace;
import java.awt.image.BufferedImage;
import java.awt.image.ColorModel;
import java.awt.image.IndexColorModel;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.Locale;
import java.util.function.Predicate;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import javax.imageio.ImageIO;
import javax.imageio.ImageReader;
import javax.imageio.stream.ImageInputStream;

/** CIFAR-10 as a tree of image files, one folder per class: train/airplane/0001.png and so on. */
final class CifarImageFolder {
    static final String TRAIN = "train";
    static final String TEST = "test";

    private CifarImageFolder() {}

    /** Returns whether a folder holds such a tree, that is, a folder for each class in both parts. */
    static boolean isIn(Path folder) {
        return Stream.of(TRAIN, TEST)
                .allMatch(part -> Cifar10.LABEL_NAMES.stream()
                        .allMatch(name -> Files.isDirectory(folder.resolve(part).resolve(name))));
    }

    /** Reads one part of the tree, class after class, the files of each by their names. */
    static ImageData read(Path folder, String part, String remedy) {
        List<Path> files = new ArrayList<>();
        List<Integer> classes = new ArrayList<>();
        for (int label = 0; label < Cifar10.LABEL_NAMES.size(); label++) {
            Path classFolder = folder.resolve(part).resolve(Cifar10.LABEL_NAMES.get(label));
            List<Path> images = list(classFolder, CifarImageFolder::isImage, remedy);
            if (images.isEmpty()) {
                throw new DataException("The folder " + classFolder + " holds no .png or .jpg file. " + remedy);
            }
            for (Path image : images) {
                files.add(image);
                classes.add(label);
            }
        }
        rejectOtherClasses(folder.resolve(part), remedy);

        int length = Cifar10.SHAPE.length();
        byte[] pixels = new byte[Math.multiplyExact(files.size(), length)];
        byte[] labels = new byte[files.size()];
        IntStream.range(0, labels.length).parallel().forEach(i -> {
            labels[i] = classes.get(i).byteValue();
            copyPlanes(decode(files.get(i), remedy), pixels, i * length);
        });
        String name = files.stream().allMatch(CifarImageFolder::isJpeg)
                ? "CIFAR-10, JPEG copy" // results on it are not those on the images themselves
                : "CIFAR-10 from an image folder";
        return new ImageData(name, Cifar10.SHAPE, Cifar10.LABEL_NAMES, pixels, labels);
    }

    private static boolean isJpeg(Path file) {
        String name = file.getFileName().toString().toLowerCase(Locale.ROOT);
        return name.endsWith(".jpg") || name.endsWith(".jpeg");
    }

    private static void rejectOtherClasses(Path part, String remedy) {
        Predicate<Path> other = path -> Files.isDirectory(path)
                && !path.getFileName().toString().startsWith(".")
                && !Cifar10.LABEL_NAMES.contains(path.getFileName().toString());
        List<Path> others = list(part, other, remedy);
        if (!others.isEmpty()) {
            throw new DataException("The folder " + others.get(0) + " is named after none of CIFAR-10's classes ("
                    + String.join(", ", Cifar10.LABEL_NAMES) + "). " + remedy);
        }
    }

    private static List<Path> list(Path folder, Predicate<Path> wanted, String remedy) {
        try (Stream<Path> entries = Files.list(folder)) {
            return entries.filter(wanted).sorted().toList();
        } catch (IOException e) {
            throw new DataException("The folder " + folder + " cannot be listed (" + e + "). " + remedy, e);
        }
    }

    private static boolean isImage(Path file) {
        String name = file.getFileName().toString().toLowerCase(Locale.ROOT);
        return !name.startsWith(".") && (name.endsWith(".png") || isJpeg(file));
    }

    private static BufferedImage decode(Path file, String remedy) {
        if (!Files.isRegularFile(file)) { // a pipe would be waited for
            throw new DataException("The file " + file + " is not as expected: it is no regular file. " + remedy);
        }
        try (ImageInputStream in = ImageIO.createImageInputStream(file.toFile())) {
            Iterator<ImageReader> readers = ImageIO.getImageReaders(in);
            if (!readers.hasNext()) {
                throw new DataException("The file " + file + " is not as expected: at byte 0, expected a PNG or JPEG"
                        + " image but found something else. " + remedy);
            }
            ImageReader reader = readers.next();
            try {
                reader.setInput(in);
                return decode(reader, file, remedy);
            } finally {
                reader.dispose();
            }
        } catch (IOException e) {
            throw new DataException("The file " + file + " cannot be read as an image (" + e + "). " + remedy, e);
        }
    }

    private static BufferedImage decode(ImageReader reader, Path file, String remedy) throws IOException {
        int height = Cifar10.SHAPE.height();
        int width = Cifar10.SHAPE.width();
        if (reader.getHeight(0) != height || reader.getWidth(0) != width) { // before any memory is taken for it
            throw new DataException("The file " + file + " is not as expected: expected an image of " + height + " x "
                    + width + " pixels but found " + reader.getHeight(0) + " x " + reader.getWidth(0) + ". " + remedy);
        }
        List<String> damage = new ArrayList<>();
        if (reader.getFormatName().equalsIgnoreCase("JPEG")) {
            reader.addIIOReadWarningListener((source, warning) -> {
                if (!warning.contains("profile")) {
                    damage.add(warning);
                }
            });
        }
        BufferedImage image = reader.read(0);
        if (!damage.isEmpty()) { // Java fills what is missing with grey, and only warns
            throw new DataException("The file " + file + " is not as expected: the image is damaged or cut off ("
                    + damage.get(0) + "). " + remedy);
        }
        return image;
    }

    /** Takes grey values as the file has them: Java's conversion of grey to colours would brighten 128 to 188. */
    private static void copyPlanes(BufferedImage image, byte[] target, int offset) {
        ColorModel colors = image.getColorModel();
        if (colors.getColorSpace().getType() == ColorSpace.TYPE_GRAY && !(colors instanceof IndexColorModel)) {
            int size = image.getWidth() * image.getHeight();
            int[] grey = image.getRaster().getSamples(0, 0, image.getWidth(), image.getHeight(), 0, (int[]) null);
            int beyond = Math.max(0, colors.getComponentSize(0) - Byte.SIZE); // of 16 bits the high ones
            for (int i = 0; i < size; i++) {
                byte value = (byte) (grey[i] >> beyond);
                target[offset + i] = value;
                target[offset + size + i] = value;
                target[offset + 2 * size + i] = value;
            }
            return;
        }
        int[] rgb = image.getRGB(0, 0, image.getWidth(), image.getHeight(), null, 0, image.getWidth());
        for (int i = 0; i < rgb.length; i++) {
            target[offset + i] = (byte) (rgb[i] >> 16);
            target[offset + rgb.length + i] = (byte) (rgb[i] >> 8);
            target[offset + 2 * rgb.length + i] = (byte) rgb[i];
        }
    }
}
