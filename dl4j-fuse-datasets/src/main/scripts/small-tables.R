# Makes the small tables of this module from packages of Debian 12 (bookworm). In an empty folder, with R installed:
#
#   apt-get download python3-sklearn weka r-cran-modeldata r-cran-mlbench r-cran-palmerpenguins
#   for package in *.deb; do dpkg-deb -x "$package" unpacked; done
#   Rscript --vanilla small-tables.R unpacked tables
#   gzip -n -9 -f tables/*.csv
#   for table in tables/*.csv.gz; do echo "$(zcat "$table" | sha256sum) $table"; done
#
# The last line prints the checksums that SmallTables.java holds. Made with R 4.2.2, python3-sklearn 1.2.1,
# weka 3.6.14, r-cran-modeldata 1.1.0, r-cran-mlbench 2.1-3 and r-cran-palmerpenguins 0.1.1.
#
# A row is an example, the last column is what to predict. Cells of text files keep their digits. Names of categories
# are those of the UCI repository where a package has others. Rows with a missing cell are left out, but in the votes,
# where UCI's "?" says that a member did not vote for or against.

arguments <- commandArgs(trailingOnly = TRUE)
unpacked <- arguments[1]
target <- arguments[2]
dir.create(target, showWarnings = FALSE)
sklearn <- file.path(unpacked, "usr/lib/python3/dist-packages/sklearn/datasets/data")
weka <- file.path(unpacked, "usr/share/doc/weka/examples")
libraries <- file.path(unpacked, "usr/lib/R/site-library")

save_table <- function(name, table, columns) {
  names(table) <- columns
  text <- function(column) if (is.double(column)) formatC(column, digits = 15, format = "fg", width = 1) else column
  write.table(as.data.frame(lapply(table, text)), file.path(target, paste0(name, ".csv")),
    sep = ",", eol = "\n", quote = FALSE, row.names = FALSE)
}

# The lines of a text file as a table of texts.
cells <- function(lines, sep = ",") {
  read.table(text = lines, sep = sep, quote = "'", colClasses = "character", na.strings = character(0),
    comment.char = "", stringsAsFactors = FALSE)
}

packed_lines <- function(name) {
  file <- gzfile(file.path(sklearn, name))
  on.exit(close(file))
  readLines(file)
}

arff <- function(name) {
  lines <- readLines(file.path(weka, paste0(name, ".arff")))
  lines <- lines[-seq_len(grep("^@data", lines, ignore.case = TRUE))]
  lines <- trimws(lines[!grepl("^%", lines)])
  cells(lines[nzchar(lines)])
}

# The levels of a nominal attribute in the order of the file's head.
arff_levels <- function(name, attribute) {
  lines <- readLines(file.path(weka, paste0(name, ".arff")))
  line <- grep(paste0("^@attribute '?", attribute, "'? *\\{"), lines, ignore.case = TRUE, value = TRUE)
  trimws(scan(text = sub("\\}.*", "", sub(".*\\{", "", line)), what = "", sep = ",", quote = "'", quiet = TRUE,
    strip.white = TRUE))
}

package_table <- function(name, package) {
  e <- new.env()
  data(list = name, package = package, lib.loc = libraries, envir = e)
  as.data.frame(e[[name]])
}

# Fisher's irises, the wines and the tumours: the first line holds sizes and names.
iris <- cells(readLines(file.path(sklearn, "iris.csv"))[-1])
iris[[5]] <- c("setosa", "versicolor", "virginica")[as.integer(iris[[5]]) + 1]
save_table("iris", iris, c("sepal_length", "sepal_width", "petal_length", "petal_width", "class"))

wine <- cells(readLines(file.path(sklearn, "wine_data.csv"))[-1])
wine[[14]] <- as.integer(wine[[14]]) + 1L
save_table("wine", wine, c("alcohol", "malic_acid", "ash", "alcalinity_of_ash", "magnesium", "total_phenols",
  "flavanoids", "nonflavanoid_phenols", "proanthocyanins", "color_intensity", "hue", "od280_od315", "proline", "class"))

cancer <- cells(readLines(file.path(sklearn, "breast_cancer.csv"))[-1])
cancer[[31]] <- c("M", "B")[as.integer(cancer[[31]]) + 1]
measures <- c("radius", "texture", "perimeter", "area", "smoothness", "compactness", "concavity", "concave_points",
  "symmetry", "fractal_dimension")
save_table("breast-cancer", cancer,
  c(paste0(measures, "_mean"), paste0(measures, "_error"), paste0(measures, "_worst"), "class"))

digits <- cells(packed_lines("digits.csv.gz"))
digits[] <- lapply(digits, as.integer)
save_table("digits", digits, c(paste0("pixel_", rep(0:7, each = 8), "_", rep(0:7, 8)), "class"))

diabetes <- cells(packed_lines("diabetes_data_raw.csv.gz"), sep = "")
diabetes$progression <- as.integer(as.numeric(packed_lines("diabetes_target.csv.gz")))
save_table("diabetes", diabetes, c("age", "sex", "bmi", "blood_pressure", paste0("s", 1:6), "progression"))

# Credits: UCI's codes are A, the number of the attribute, and the number of the level, from 1 or from 0.
credit <- arff("credit-g")
attributes <- c("checking_status", "duration", "credit_history", "purpose", "credit_amount", "savings_status",
  "employment", "installment_commitment", "personal_status", "other_parties", "residence_since",
  "property_magnitude", "age", "other_payment_plans", "housing", "existing_credits", "job", "num_dependents",
  "own_telephone", "foreign_worker")
for (i in c(1, 3, 4, 6, 7, 9, 10, 12, 14, 15, 17, 19, 20)) {
  level <- match(credit[[i]], arff_levels("credit-g", attributes[i]))
  stopifnot(!anyNA(level))
  credit[[i]] <- paste0("A", i, level - (i %in% c(3, 4)))
}
save_table("german-credit", credit, c(attributes, "class"))

glass <- arff("glass")
glass[[10]] <- match(glass[[10]], arff_levels("glass", "Type"))
save_table("glass", glass, c("RI", "Na", "Mg", "Al", "Si", "K", "Ca", "Ba", "Fe", "class"))

save_table("ionosphere", arff("ionosphere"), c(paste0("a", 1:34), "class"))

save_table("segment", rbind(arff("segment-challenge"), arff("segment-test")), c("region_centroid_col",
  "region_centroid_row", "region_pixel_count", "short_line_density_5", "short_line_density_2", "vedge_mean",
  "vedge_sd", "hedge_mean", "hedge_sd", "intensity_mean", "rawred_mean", "rawblue_mean", "rawgreen_mean",
  "exred_mean", "exblue_mean", "exgreen_mean", "value_mean", "saturation_mean", "hue_mean", "class"))

save_table("votes", arff("vote"), c("handicapped_infants", "water_project_cost_sharing",
  "adoption_of_the_budget_resolution", "physician_fee_freeze", "el_salvador_aid", "religious_groups_in_schools",
  "anti_satellite_test_ban", "aid_to_nicaraguan_contras", "mx_missile", "immigration",
  "synfuels_corporation_cutback", "education_spending", "superfund_right_to_sue", "crime", "duty_free_exports",
  "export_administration_act_south_africa", "class"))

save_table("machine-cpu", arff("cpu"), c("MYCT", "MMIN", "MMAX", "CACH", "CHMIN", "CHMAX", "PRP"))

save_table("sonar", package_table("Sonar", "mlbench"), c(paste0("band_", 1:60), "class"))

save_table("concrete", package_table("concrete", "modeldata"), c("cement", "blast_furnace_slag", "fly_ash", "water",
  "superplasticizer", "coarse_aggregate", "fine_aggregate", "age", "compressive_strength"))

penguins <- na.omit(package_table("penguins", "palmerpenguins"))
sizes <- c("bill_length_mm", "bill_depth_mm", "flipper_length_mm")
for (task in list(list("penguins", c("island", sizes, "body_mass_g", "sex"), "species"),
                  list("penguin-mass", c("species", "island", sizes, "sex"), "body_mass_g"))) {
  goal <- if (task[[3]] == "species") "class" else task[[3]]
  save_table(task[[1]], penguins[c(task[[2]], task[[3]])], c(task[[2]], goal))
}
